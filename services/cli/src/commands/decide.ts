import { toJson } from "@bufbuild/protobuf";
import { DecideResponseSchema } from "@remit/proto/decision";
import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { askToExplain } from "../ask-to-explain.ts";
import { type CallOptions, callRequest, requireSession } from "../call-request.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { decisionLines } from "../decision-text.ts";
import { effectWord, mayRun } from "../effects.ts";
import { examples } from "../examples.ts";
import { type ExitCode, exitCodes } from "../stop.ts";

interface DecideOptions extends CallOptions {
  sessionToken?: string;
  explain?: boolean;
  json?: boolean;
}

async function decide(cli: Cli, tool: string, options: DecideOptions): Promise<ExitCode> {
  requireSession(cli, options.sessionToken);
  if (options.explain) return askToExplain(cli, await callRequest(cli, tool, options), options);
  const client = cli.clients({ sessionToken: options.sessionToken }).decision;
  const answer = await client.decide(await callRequest(cli, tool, options));
  if (options.json) printJson(cli.io, toJson(DecideResponseSchema, answer));
  else for (const line of decisionLines(answer, tool, paintFor(cli.io))) cli.io.out(line);
  return mayRun(effectWord(answer.effect)) ? exitCodes.ok : exitCodes.no;
}

/** `remit decide`: ask about one call. Ends with 0 when it may run and with 1 when it may not. */
export function addDecide(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("decide <tool>")
    .description("ask whether a tool call may run; the answer is recorded before it is printed")
    .option("--input <json>", "the tool's arguments: a JSON object, @FILE or - for standard input", "{}")
    .option("--context <json>", "facts that the policies may read, asserted by you")
    .option("--answers <json>", "answers to a clarification, by question id")
    .option("--call-id <id>", "asking again with the same id is safe (default: a new one)")
    .option("--estimate <unit=decimal>", "what the call may cost; several times", collect)
    .option("--constraint <name>", "a constraint that you can honour; several times", collect)
    .option("--schema-digest <digest>", "of the tool's input schema as you know it; another one registered is a deny")
    .option("--session-token <token>", "instead of REMIT_SESSION")
    .option("--explain", "what would be answered; records nothing, needs the role diagnose")
    .option("--json", "for machines")
    .action(async (tool: string, options: DecideOptions) => ended(await decide(cli, tool, options)));
  examples(command, [
    [
      "may this payment run? exit 0: yes, 1: no",
      `remit decide payments.transfer --input '{"amount": 40, "to": "Acme"}'`,
    ],
    ["which rules were considered", `remit decide payments.transfer --input @call.json --explain`],
    [
      "answer what Remit wanted to know",
      `remit decide payments.transfer --call-id c1 --input @call.json --answers '{"memo": "rent"}'`,
    ],
  ]);
}
