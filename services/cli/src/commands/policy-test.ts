import type { Command } from "commander";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { counted } from "../counted.ts";
import { readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, usage } from "../stop.ts";

async function testPolicies(cli: Cli, paths: readonly string[], flags: { json?: boolean }): Promise<ExitCode> {
  const { io } = cli;
  const files = await readDocumentFiles(io, paths, "the path");
  if (files.tests.length === 0)
    throw usage("no *_test.yaml is among the files", "give the directory of the policies and their tests");
  const { documents, problems } = await checkDocuments(files.documents);
  if (refuses(problems, false)) {
    await printProblems(io, problems);
    return exitCodes.no;
  }
  const { runPolicyTests } = await loadEngine();
  const { passed, failed } = runPolicyTests(files.tests, documents);
  if (flags.json) {
    printJson(io, { passed, failed });
  } else {
    const paint = paintFor(io);
    for (const { file, name, message } of failed)
      io.out(`${paint.red("FAIL")}  ${file}: ${name}\n${message.replace(/^/gm, "      ")}`);
    const total = `${counted(passed + failed.length, "case")} in ${counted(files.tests.length, "file")}`;
    io.out(failed.length === 0 ? `${paint.green("ok")}: ${total}` : `${failed.length} of ${total} failed`);
  }
  return failed.length === 0 ? exitCodes.ok : exitCodes.no;
}

/** `remit policy test`: run the cases that stand beside policies. */
export function addPolicyTest(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("test <path...>")
    .description("run the cases of *_test.yaml against the policies beside them, without a service")
    .option("--json", "for machines")
    .action(async (paths: string[], flags: { json?: boolean }) => ended(await testPolicies(cli, paths, flags)));
  examples(command, [["before a commit", "remit policy test policies/"]]);
}
