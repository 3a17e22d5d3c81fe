import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { addAgents } from "./commands/agents.ts";
import { addApply } from "./commands/apply.ts";
import { addAudit } from "./commands/audit.ts";
import { addBindings } from "./commands/bindings.ts";
import { addBreakers } from "./commands/breakers.ts";
import { addBudgets } from "./commands/budgets.ts";
import { addChanges } from "./commands/changes.ts";
import { addDecide } from "./commands/decide.ts";
import { addDecisions } from "./commands/decisions.ts";
import { addGroups } from "./commands/groups.ts";
import { addHolds } from "./commands/holds.ts";
import { addIssuers } from "./commands/issuers.ts";
import { addKeys } from "./commands/keys.ts";
import { addLedger } from "./commands/ledger.ts";
import { addLogin } from "./commands/login.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addPolicy } from "./commands/policy.ts";
import { addRecover } from "./commands/recover.ts";
import { addReport } from "./commands/report.ts";
import { addRevocations } from "./commands/revocations.ts";
import { addServe } from "./commands/serve.ts";
import { addSession } from "./commands/session.ts";
import { addTenants } from "./commands/tenants.ts";
import { addTools } from "./commands/tools.ts";
import { addTraceRun } from "./commands/trace-run.ts";
import { addWhy } from "./commands/why.ts";
import { examples } from "./examples.ts";
import type { ExitCode } from "./stop.ts";

const ENVIRONMENT = `
Environment:
  REMIT_ADDRESS        the gRPC lane of the service, as for SDKs (127.0.0.1:7081)
  REMIT_ADMIN_ADDRESS  its admin services (127.0.0.1:7082)
  REMIT_API_KEY        the key to speak with; people log in (remit login) and need none
  REMIT_TOKEN          or a token of an issuer that the service trusts
  REMIT_TOKEN_FILE     or the file that holds one
  REMIT_PROFILE        which of several logins to speak with
  REMIT_SESSION        the session token to ask with

Exit codes: 0 yes or done, 1 the answer is no, 2 called wrongly, 3 the service is unavailable, 78 its configuration is wrong.`;

/** The whole command line. `ended` is told what the process should end with when a command is done. */
export function buildProgram(cli: Cli, version: string, ended: (code: ExitCode) => void): Command {
  const program = new Command("remit")
    .description("Remit decides whether an AI agent's tool call may run, before it runs, and records why.")
    .version(version, "--version")
    .showHelpAfterError("(add --help to see how it is used)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.io.out(text.trimEnd()),
      writeErr: (text) => cli.io.err(text.trimEnd()),
    });
  addServe(program, cli);
  addMigrate(program, cli);
  addRecover(program, cli);
  addApply(program, cli, ended);
  addSession(program, cli);
  addDecide(program, cli, ended);
  addReport(program, cli);
  addWhy(program, cli, ended);
  addDecisions(program, cli);
  addAudit(program, cli);
  addLedger(program, cli, ended);
  addLogin(program, cli);
  addPolicy(program, cli, ended);
  addTraceRun(program, cli, ended);
  addKeys(program, cli);
  addIssuers(program, cli);
  addBindings(program, cli);
  addRevocations(program, cli);
  addChanges(program, cli);
  addTenants(program, cli);
  addTools(program, cli, ended);
  addAgents(program, cli);
  addBudgets(program, cli, ended);
  addHolds(program, cli);
  addBreakers(program, cli);
  addGroups(program, cli);
  program.addHelpText("after", ENVIRONMENT);
  return examples(program, [
    ["a service with something to try, on this machine", "remit serve --demo"],
    ["what would my policies have stopped?", "remit trace-run calls.jsonl --policy policies/"],
    ["every command explains itself", "remit decide --help"],
  ]);
}
