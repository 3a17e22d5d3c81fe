import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { CreateKeyResponseSchema, ListCallersResponseSchema, RevokeKeyResponseSchema } from "@remit/proto/admin";
import { type Command, InvalidArgumentError } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { table } from "../table.ts";
import { addCustody } from "./custody.ts";

const roles = [
  ...["viewer", "diagnose", "approver", "policy-author", "policy-approver", "operator", "owner"],
  "cell-operator",
];

interface CreateOptions {
  role?: string[];
  agent?: string[];
  assertPrincipals?: boolean;
  json?: boolean;
}

async function create(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  const answer = await cli.clients().caller.createKey({
    name,
    roles: options.role ?? [],
    agents: options.agent ?? [],
    mayAssertPrincipals: options.assertPrincipals ?? false,
  });
  if (options.json) return printJson(cli.io, toJson(CreateKeyResponseSchema, answer));
  cli.io.err(`the key of ${name} (${answer.caller?.id}); it is not shown again:`);
  cli.io.out(answer.key);
}

async function list(cli: Cli, options: { json?: boolean }): Promise<void> {
  const answer = await cli.clients().caller.listCallers({});
  if (options.json) return printJson(cli.io, toJson(ListCallersResponseSchema, answer));
  const rows = answer.callers.map((caller) => [
    caller.id,
    caller.name,
    caller.roles.join(","),
    caller.agents.join(",") || "none",
    caller.mayAssertPrincipals ? "yes" : "no",
    caller.createdAt === undefined ? "" : timestampDate(caller.createdAt).toISOString(),
    caller.revoked ? "revoked" : "active",
  ]);
  const titles = ["ID", "NAME", "ROLES", "AGENTS", "ASSERTS", "CREATED", "STATE"].map((title) => ({ title }));
  for (const line of table(titles, rows)) cli.io.out(line);
}

/** `remit keys`: create, list, revoke; and the keys that the service keeps. */
export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("API keys of the workloads that speak to Remit");
  const made = keys
    .command("create <name>")
    .description("make a key; it is printed once and nowhere else")
    .option("--role <role>", `what it may do on the admin plane: ${roles.join(", ")}; several times`, checkedRole)
    .option("--agent <glob>", "agents that it may open sessions for; several times", collect)
    .option("--assert-principals", "it may say on whose behalf an agent acts")
    .option("--json", "for machines")
    .action((name: string, options: CreateOptions) => create(cli, name, options));
  examples(made, [
    ["for a service that runs one agent", "remit keys create billing-worker --agent bookkeeper --assert-principals"],
    ["for somebody who only looks", "remit keys create dashboard --role viewer"],
  ]);
  const listed = keys
    .command("list")
    .description("who may speak to this service")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => list(cli, options));
  examples(listed, [["every caller with its roles", "remit keys list"]]);
  const revoked = keys
    .command("revoke <id>")
    .description("end a key at once")
    .option("--json", "for machines")
    .action(async (callerId: string, options: { json?: boolean }) => {
      const answer = await cli.clients().caller.revokeKey({ callerId });
      if (options.json) printJson(cli.io, toJson(RevokeKeyResponseSchema, answer));
      else cli.io.out(`revoked ${answer.caller?.name ?? callerId}; revision ${answer.revision}`);
    });
  examples(revoked, [["the id stands in `remit keys list`", "remit keys revoke 5b0c9f5e-..."]]);
  addCustody(keys, cli);
}

function checkedRole(value: string, before: readonly string[] = []): string[] {
  if (!roles.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${roles.join(", ")}.`);
  return [...before, value];
}
