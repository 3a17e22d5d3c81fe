import { toJson } from "@bufbuild/protobuf";
import { ListBudgetsResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { budgetsNote } from "../budgets-note.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { table } from "../table.ts";

async function listBudgets(cli: Cli, json: boolean): Promise<void> {
  const answer = await cli.clients().budget.listBudgets({});
  if (json) return printJson(cli.io, toJson(ListBudgetsResponseSchema, answer));
  const rows = answer.budgets.map(({ name, limit, window, timeZone, ownerKind, owner, enforcement, per }) => [
    name,
    `${limit?.value ?? ""} ${limit?.unit ?? ""}`,
    timeZone === "" ? window : `${window} (${timeZone})`,
    owner === "" ? ownerKind : `${ownerKind} ${owner}`,
    enforcement,
    per.join(","),
  ]);
  const titles = ["NAME", "LIMIT", "WINDOW", "OWNER", "ENFORCEMENT", "PER"];
  const columns = titles.map((title) => ({ title, right: title === "LIMIT" }));
  for (const line of table(columns, rows)) cli.io.out(line);
  if (answer.budgets.some(({ enforced }) => !enforced)) cli.io.err(paintFor(cli.io).dim(budgetsNote));
}

/** `remit budgets`. */
export function addBudgets(program: Command, cli: Cli): void {
  const budgets = program
    .command("budgets")
    .description("declared budgets; this version keeps them and enforces none")
    .command("list")
    .description("every declared budget")
    .option("--json", "for machines")
    .action((options: { json?: boolean }) => listBudgets(cli, options.json ?? false));
  examples(budgets, [["declare budgets with `remit apply`, then", "remit budgets list"]]);
}
