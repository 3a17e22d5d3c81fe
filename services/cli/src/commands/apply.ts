import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { type Document, readDocumentFiles, separate } from "../document-files.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { isEmptyPlan, type PrunePlan, planPrune, prune, pruned } from "../prune.ts";
import { type Applied, type ApplyResult, applyDocuments } from "../publish.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";
import { table } from "../table.ts";

interface ApplyFlags {
  file: string[];
  dryRun?: boolean;
  strict?: boolean;
  activate: boolean;
  prune?: boolean;
  pruneAll?: boolean;
  yes?: boolean;
  json?: boolean;
}

const words: Readonly<Record<Applied["change"], string>> = {
  created: "added",
  replaced: "changed",
  unchanged: "unchanged",
  published: "published, not in force",
  activated: "in force",
  removed: "removed",
  deactivated: "taken out of force",
  proposed: "proposed, waits for approval",
};

function changeText({ change, version }: Applied, dryRun: boolean): string {
  if (dryRun && change !== "unchanged") return `would be ${change === "published" ? "published" : words[change]}`;
  return version === undefined || version === 0 ? words[change] : `version ${version}, ${words[change]}`;
}

function printChanges(cli: Cli, changes: readonly Applied[], dryRun: boolean): void {
  const rows = changes.map((item) => [item.kind, item.name, changeText(item, dryRun)]);
  for (const line of table([{ title: "KIND" }, { title: "NAME" }, { title: "CHANGE" }], rows)) cli.io.out(line);
}

function print(cli: Cli, result: ApplyResult, dryRun: boolean): void {
  printChanges(cli, result.applied, dryRun);
  const proposals = new Set(result.applied.flatMap(({ proposal }) => proposal ?? []));
  for (const id of proposals) cli.io.out(`others approve it: remit changes show ${id}`);
  if (dryRun) cli.io.out(paintFor(cli.io).dim("nothing was changed"));
  else if (result.revision !== undefined) cli.io.out(`revision ${result.revision}`);
}

/** What is to go, or why nothing may. */
async function planned(cli: Cli, flags: ApplyFlags, documents: readonly Document[]): Promise<PrunePlan | undefined> {
  const { prune: some = false, pruneAll = false } = flags;
  if (!some && !pruneAll) return undefined;
  if (!flags.activate) throw usage("--prune takes policies out of force, and --no-activate puts none in their place");
  if (documents.length === 0) throw usage("no document is among the files, and so nothing is pruned");
  return planPrune(cli.clients(), documents, pruneAll);
}

/** Checks documents here, then sends them. Ends with 1 when something is wrong with them. */
async function apply(cli: Cli, flags: ApplyFlags): Promise<ExitCode> {
  const { io } = cli;
  const { dryRun = false, strict = false, yes = false } = flags;
  const files = (await readDocumentFiles(io, flags.file, "--file")).documents;
  const { problems } = await checkDocuments(files);
  await printProblems(io, problems);
  if (refuses(problems, strict)) return exitCodes.no;
  const documents = await separate(files);
  const plan = await planned(cli, flags, documents);
  if (plan && !isEmptyPlan(plan) && !dryRun && !yes) {
    printChanges(cli, pruned(plan), true);
    io.err("nothing was changed: add --yes to apply the files and take these away");
    return exitCodes.no;
  }
  const sent = await applyDocuments(cli.clients(), documents, { dryRun, strict: false, activate: flags.activate });
  const failed = refuses(sent.problems, false);
  const known = new Set(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`));
  await printProblems(
    io,
    sent.problems.filter(({ file, line, message }) => !known.has(`${file}:${line}: ${message}`)),
  );
  const result = failed || !plan ? sent : await withPruned(cli, sent, plan, dryRun);
  if (flags.json) printJson(io, { ...result, revision: result.revision?.toString(), dryRun });
  else print(cli, result, dryRun);
  const waits = result.applied.some(({ change }) => change === "proposed");
  return failed || waits ? exitCodes.no : exitCodes.ok;
}

async function withPruned(cli: Cli, sent: ApplyResult, plan: PrunePlan, dryRun: boolean): Promise<ApplyResult> {
  const revision = (dryRun ? undefined : await prune(cli.clients(), plan)) ?? sent.revision;
  return { ...sent, applied: [...sent.applied, ...pruned(plan)], ...(revision === undefined ? {} : { revision }) };
}

/** `remit apply`: make the service know the documents of a directory. */
export function addApply(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("apply")
    .description(
      "register the tools, agents, budgets and groups of documents, publish their policies and put them in force",
    )
    .requiredOption("-f, --file <path>", "a file, a directory or - for standard input; several times", collect)
    .option("--dry-run", "check everything, change nothing")
    .option("--strict", "warnings count as errors")
    .option("--no-activate", "publish policies without putting them in force")
    .option("--prune", "take away what is registered and in none of the files, of the kinds that the files have")
    .option("--prune-all", "the same of every kind")
    .option("--yes", "prune without showing first what would go")
    .option("--json", "for machines")
    .action(async (flags: ApplyFlags) => ended(await apply(cli, flags)));
  examples(command, [
    ["what would change?", "remit apply -f policies/ --dry-run"],
    ["change it", "remit apply -f policies/"],
    ["and take away what is not there any more", "remit apply -f policies/ --prune --yes"],
  ]);
}
