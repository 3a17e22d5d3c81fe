import type { OutcomesDiff } from "@remit/engine";
import { type Command, Option } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { type DocumentFile, readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { callsOfLog, callsOfTests, leftLines } from "../policy-diff/calls.ts";
import { documentDiffLines, outcomeDiffLines } from "../policy-diff/diff-text.ts";
import { besideEachOther, readSide, type Side } from "../policy-diff/side.ts";
import { type ExitCode, exitCodes, Stop } from "../stop.ts";

const failures = ["wider", "narrower", "change"] as const;

interface DiffFlags {
  tests?: string[];
  calls?: string;
  agent: string;
  principal?: string;
  failOn?: (typeof failures)[number];
  full?: boolean;
  json?: boolean;
}

async function compiledSide({ name, documents }: Side) {
  const { compile, formatProblem } = await loadEngine();
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const { compiled, problems } = compile({ policies, tools: documents.tools });
  if (compiled) return compiled;
  const told = problems.filter(({ severity }) => severity === "error").map(formatProblem);
  throw new Stop(exitCodes.no, `${name} does not compile beside these tools:\n${told.join("\n")}`);
}

async function testFiles(cli: Cli, sides: readonly Side[], paths: readonly string[]): Promise<DocumentFile[]> {
  const given = paths.length === 0 ? [] : (await readDocumentFiles(cli.io, paths, "--tests")).tests;
  const all = [...sides.flatMap(({ tests }) => tests), ...given];
  return [...new Map(all.map((file) => [file.file, file])).values()];
}

function fails(failOn: DiffFlags["failOn"], changed: boolean, outcomes: OutcomesDiff): boolean {
  if (failOn === "change") return changed || outcomes.changes.length > 0;
  return failOn !== undefined && outcomes[failOn] > 0;
}

async function diff(cli: Cli, old: string, now: string, flags: DiffFlags): Promise<ExitCode> {
  const { diffDocuments, diffOutcomes } = await loadEngine();
  const [from, to] = besideEachOther(await readSide(cli, old), await readSide(cli, now));
  const changes = diffDocuments(from.documents, to.documents);
  const { calls: file, agent, principal } = flags;
  const tested = await callsOfTests(cli, await testFiles(cli, [from, to], flags.tests ?? []));
  const sides = { from: from.documents, to: to.documents };
  const log =
    file === undefined ? { calls: [], left: {} } : await callsOfLog(cli, { file, agent, principal, ...sides });
  const outcomes = diffOutcomes(await compiledSide(from), await compiledSide(to), [...tested, ...log.calls]);
  if (flags.json) {
    printJson(cli.io, { documents: changes, outcomes, left: log.left });
  } else {
    const paint = paintFor(cli.io);
    const shown = documentDiffLines(changes, paint, flags.full ? Number.POSITIVE_INFINITY : undefined);
    for (const line of [...shown, "", ...outcomeDiffLines(outcomes, paint)]) cli.io.out(line);
    for (const line of leftLines(log.left)) cli.io.err(`note: ${line}`);
  }
  return fails(flags.failOn, changes.length > 0, outcomes) ? exitCodes.no : exitCodes.ok;
}

/** `remit policy diff`: what has changed in policies, and which calls end otherwise because of it. */
export function addPolicyDiff(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("diff <old> <new>")
    .description("what has changed between policies, and which calls end otherwise because of it")
    .addHelpText(
      "after",
      `
Each side is a file, a directory, or on the service: payments@3, payments@active, @active for all in force.
Calls are those of the tests beside the policies and of --calls. Wider is what lets more run than before:
deny < clarify < escalate < transform < allow.`,
    )
    .option("--tests <path>", "more tests whose calls are compared; several times", collect)
    .option(
      "--calls <file>",
      "a log: `remit decisions list --json`, one decision a line, or calls as trace-run reads them",
    )
    .option("--agent <name>", "who made the calls of a log that does not say so", "agent")
    .option("--principal <path>", "where such a call says for whom it is made: context.user.id")
    .addOption(new Option("--fail-on <what>", "end with 1 when a call ends so").choices(failures))
    .option("--full", "every value whole, however long; else 400 characters from where two begin to differ")
    .option("--json", "for machines")
    .action(async (old: string, now: string, flags: DiffFlags) => ended(await diff(cli, old, now, flags)));
  examples(command, [
    ["does this change open anything?", "remit policy diff main/policies policies/ --fail-on wider"],
    [
      "what would last week's calls say to it?",
      "remit decisions list --since 7d --limit 10000 --json > calls.json && remit policy diff @active policies/ --calls calls.json",
    ],
    ["two versions on the service", "remit policy diff payments@3 payments@4"],
  ]);
}
