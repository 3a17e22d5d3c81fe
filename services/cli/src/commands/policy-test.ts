import { writeFile } from "node:fs/promises";
import type { PolicyTestRun } from "@remit/engine";
import type { Command } from "commander";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { counted } from "../counted.ts";
import { readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { coverageLines } from "../policy-test/coverage-text.ts";
import { junitXml } from "../policy-test/junit.ts";
import { runLines } from "../policy-test/run-text.ts";
import { printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";

interface TestFlags {
  filter?: string;
  verbose?: boolean;
  junit?: string;
  coverage?: boolean;
  minCoverage?: string;
  json?: boolean;
}

function leastPercent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const percent = /^\d{1,3}(\.\d)?$/.test(text) ? Number(text) : Number.NaN;
  if (percent <= 100) return percent;
  throw usage(`--min-coverage takes a percentage from 0 to 100, got ${JSON.stringify(text)}`);
}

async function writeJunit(path: string, xml: string): Promise<void> {
  try {
    await writeFile(path, xml);
  } catch (error) {
    throw usage(`--junit cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function print(cli: Cli, run: PolicyTestRun, files: number, flags: TestFlags): void {
  const paint = paintFor(cli.io);
  const { failed, cases, coverage } = run;
  for (const line of runLines(run, flags.verbose ?? false, paint)) cli.io.out(line);
  if (coverage) for (const line of coverageLines(coverage)) cli.io.out(line);
  const unread = failed.filter(({ index }) => index === undefined).length;
  const total = `${counted(cases.length + unread, "case")} in ${counted(files, "file")}`;
  cli.io.out(failed.length === 0 ? `${paint.green("ok")}: ${total}` : `${failed.length} of ${total} failed`);
}

async function testPolicies(cli: Cli, paths: readonly string[], flags: TestFlags): Promise<ExitCode> {
  const { io } = cli;
  const least = leastPercent(flags.minCoverage);
  const files = await readDocumentFiles(io, paths, "the path");
  if (files.tests.length === 0)
    throw usage("no *_test.yaml is among the files", "give the directory of the policies and their tests");
  const { documents, problems } = await checkDocuments(files.documents);
  if (refuses(problems, false)) {
    await printProblems(io, problems);
    return exitCodes.no;
  }
  const { runPolicyTests } = await loadEngine();
  const { filter = "" } = flags;
  const run = runPolicyTests(files.tests, documents, {
    filter,
    coverage: (flags.coverage ?? false) || least !== undefined,
  });
  if (run.cases.length === 0 && run.failed.length === 0)
    throw usage(`no case has ${JSON.stringify(filter)} in its name`, "--verbose lists the names");
  if (flags.junit !== undefined) {
    const names = files.tests.map(({ file }) => file);
    await writeJunit(flags.junit, junitXml(run, names));
  }
  if (flags.json) printJson(io, run);
  else print(cli, run, files.tests.length, flags);
  const { percent } = run.coverage ?? { percent: 100 };
  if (least !== undefined && percent < least) {
    io.err(`error: the coverage is ${percent}%, less than ${least}%`);
    return exitCodes.no;
  }
  return run.failed.length === 0 ? exitCodes.ok : exitCodes.no;
}

/** `remit policy test`: run the cases that stand beside policies. */
export function addPolicyTest(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("test <path...>")
    .description(
      "run the cases of *_test.yaml against the policies beside them, without a service; ends with 1 when one fails",
    )
    .option("--filter <text>", "only cases with this in their name or their document's")
    .option("--verbose", "list the cases that pass, too")
    .option("--coverage", "tell which rules and conditions no case tried")
    .option("--min-coverage <percent>", "end with 1 when less than so much was tried")
    .option("--junit <file>", "write the results as JUnit XML")
    .option("--json", "for machines")
    .action(async (paths: string[], flags: TestFlags) => ended(await testPolicies(cli, paths, flags)));
  examples(command, [
    ["before a commit", "remit policy test policies/"],
    ["which rules does no case try?", "remit policy test policies/ --coverage"],
    ["on a build server", "remit policy test policies/ --junit results.xml --min-coverage 90"],
  ]);
}
