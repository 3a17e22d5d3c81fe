import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { budgetsNote } from "../budgets-note.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { readDocumentFiles, separate } from "../document-files.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { type Applied, type ApplyResult, applyDocuments } from "../publish.ts";
import { type ExitCode, exitCodes } from "../stop.ts";
import { table } from "../table.ts";

interface ApplyFlags {
  file: string[];
  dryRun?: boolean;
  strict?: boolean;
  activate: boolean;
  json?: boolean;
}

function changeText({ change, version }: Applied, dryRun: boolean): string {
  const words = { activated: "in force", published: "published, not in force" } as const;
  const text = change === "activated" || change === "published" ? words[change] : change;
  const what = version === undefined || version === 0 ? text : `version ${version}, ${text}`;
  return dryRun && change !== "unchanged" ? `would be ${change}` : what;
}

function print(cli: Cli, result: ApplyResult, dryRun: boolean): void {
  if (result.applied.some(({ kind }) => kind === "budget")) cli.io.err(paintFor(cli.io).dim(budgetsNote));
  const rows = result.applied.map((item) => [item.kind, item.name, changeText(item, dryRun)]);
  for (const line of table([{ title: "KIND" }, { title: "NAME" }, { title: "CHANGE" }], rows)) cli.io.out(line);
  if (dryRun) cli.io.out(paintFor(cli.io).dim("nothing was changed"));
  else if (result.revision !== undefined) cli.io.out(`revision ${result.revision}`);
}

/** Checks documents here, then sends them. Ends with 1 when something is wrong with them. */
async function apply(cli: Cli, flags: ApplyFlags): Promise<ExitCode> {
  const { io } = cli;
  const { dryRun = false, strict = false } = flags;
  const files = (await readDocumentFiles(io, flags.file, "--file")).documents;
  const { problems } = await checkDocuments(files);
  await printProblems(io, problems);
  if (refuses(problems, strict)) return exitCodes.no;
  // Documents were checked together here; in a dry run the service checks each beside what is registered already.
  const result = await applyDocuments(cli.clients(), await separate(files), {
    dryRun,
    strict: false,
    activate: flags.activate,
  });
  const failed = refuses(result.problems, false);
  if (failed) await printProblems(io, result.problems);
  if (flags.json) printJson(io, { ...result, revision: result.revision?.toString(), dryRun });
  else print(cli, result, dryRun);
  return failed ? exitCodes.no : exitCodes.ok;
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
    .option("--json", "for machines")
    .action(async (flags: ApplyFlags) => ended(await apply(cli, flags)));
  examples(command, [
    ["what would change?", "remit apply -f policies/ --dry-run"],
    ["change it", "remit apply -f policies/"],
  ]);
}
