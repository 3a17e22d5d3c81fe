import { create, toJson } from "@bufbuild/protobuf";
import { DeleteBindingsResponseSchema, ListBindingsResponseSchema, PutBindingResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { everyItem } from "../pages.ts";
import { table } from "../table.ts";

interface PutOptions {
  issuer: string;
  subject?: string;
  group?: string;
  agent?: string[];
  role?: string[];
  assertPrincipals?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

async function put(cli: Cli, name: string, options: PutOptions): Promise<void> {
  const { issuer, subject = "", group = "", agent: agents = [], role: roles = [], dryRun = false } = options;
  const answer = await cli.clients().caller.putBinding({
    binding: { name, issuer, subject, group, agents, roles, mayAssertPrincipals: options.assertPrincipals ?? false },
    dryRun,
  });
  if (options.json) return printJson(cli.io, toJson(PutBindingResponseSchema, answer));
  cli.io.out(`${dryRun ? "would put" : "put"} ${name}; revision ${answer.revision}`);
}

async function list(cli: Cli, options: { json?: boolean }): Promise<void> {
  const { caller } = cli.clients();
  const bindings = await everyItem(
    (page) => caller.listBindings(page),
    (page) => page.bindings,
    { io: cli.io, what: "bindings" },
  );
  if (options.json) {
    return printJson(cli.io, toJson(ListBindingsResponseSchema, create(ListBindingsResponseSchema, { bindings })));
  }
  const titles = ["NAME", "ISSUER", "SUBJECT", "GROUP", "AGENTS", "ASSERTS", "ROLES"].map((title) => ({ title }));
  const rows = bindings.map((binding) => [
    ...[binding.name, binding.issuer, binding.subject || "any", binding.group || "any"],
    ...[binding.agents.join(",") || "none", binding.mayAssertPrincipals ? "yes" : "no", binding.roles.join(",")],
  ]);
  for (const line of table(titles, rows)) cli.io.out(line);
}

/** `remit bindings`: put, list, delete. */
export function addBindings(program: Command, cli: Cli): void {
  const bindings = program.command("bindings").description("what a token or a certificate gives to whom");
  const made = bindings
    .command("put <name>")
    .description("give rights to whoever proves what it names")
    .requiredOption("--issuer <name>", "the name of an issuer, or spiffe for certificates")
    .option("--subject <glob>", "* is any run of characters without : and /, ** any run at all")
    .option("--group <group>", "a group that the token names; with a subject, both must match")
    .option("--agent <glob>", "agents that it may open sessions for; several times", collect)
    .option("--role <role>", "what it may do on the admin plane; several times", collect)
    .option("--assert-principals", "it may say on whose behalf an agent acts")
    .option("--dry-run", "check, change nothing")
    .option("--json", "for machines")
    .action((name: string, options: PutOptions) => put(cli, name, options));
  examples(made, [
    [
      "one service account runs one agent",
      "remit bindings put books --issuer cluster --subject system:serviceaccount:prod:books --agent bookkeeper",
    ],
    ["auditors of the staff look", "remit bindings put auditors --issuer staff --group auditors --role viewer"],
  ]);
  const listed = bindings
    .command("list")
    .description("every binding")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => list(cli, options));
  examples(listed, [["who gets what", "remit bindings list"]]);
  const deleted = bindings
    .command("delete <names...>")
    .description("take away what they gave, at once")
    .option("--dry-run", "check, change nothing")
    .option("--json", "for machines")
    .action(async (names: string[], options: { dryRun?: boolean; json?: boolean }) => {
      const answer = await cli.clients().caller.deleteBindings({ names, dryRun: options.dryRun ?? false });
      if (options.json) printJson(cli.io, toJson(DeleteBindingsResponseSchema, answer));
      else
        cli.io.out(`${options.dryRun ? "would delete" : "deleted"} ${names.join(", ")}; revision ${answer.revision}`);
    });
  examples(deleted, [["a workload that is gone", "remit bindings delete books"]]);
}
