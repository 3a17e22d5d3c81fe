import type { Documents, Problem } from "@remit/engine";
import { type Command, Option } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { counted } from "../counted.ts";
import { githubAnnotation } from "../diagnostics/github.ts";
import { sarifLog } from "../diagnostics/sarif.ts";
import { readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes } from "../stop.ts";

const formats = ["text", "json", "github", "sarif"] as const;

interface LintFlags {
  strict?: boolean;
  json?: boolean;
  format: (typeof formats)[number];
}

function summary({ policies, tools, agents, budgets, groups }: Documents): string {
  const rules = policies.reduce((sum, { spec }) => sum + spec.rules.length, 0);
  const parts = [
    counted(policies.length, "policy"),
    counted(rules, "rule"),
    counted(tools.length, "tool"),
    counted(agents.length, "agent"),
  ];
  if (budgets.length > 0) parts.push(counted(budgets.length, "budget"));
  if (groups.length > 0) parts.push(counted(groups.length, "group"));
  return parts.join(", ");
}

async function print(cli: Cli, problems: readonly Problem[], format: LintFlags["format"], version: string) {
  const { io } = cli;
  if (format === "json") return printJson(io, problems);
  if (format === "sarif") return printJson(io, sarifLog(problems, (await loadEngine()).problemCodes, version));
  if (format === "text") return printProblems(io, problems);
  for (const problem of problems) io.out(githubAnnotation(problem));
}

async function lint(cli: Cli, paths: readonly string[], flags: LintFlags, version: string): Promise<ExitCode> {
  const { strict = false } = flags;
  const { documents: files } = await readDocumentFiles(cli.io, paths, "the path");
  const { documents, problems, compiling } = await checkDocuments(files);
  const format = flags.json ? "json" : flags.format;
  const told = problems.map((problem) => (strict ? { ...problem, severity: "error" as const } : problem));
  await print(cli, told, format, version);
  if (refuses(problems, strict)) return exitCodes.no;
  if (format === "text") {
    cli.io.out(`ok: ${summary(documents)}`);
    cli.io.out(`compiled in ${Math.ceil(compiling.ms)} ms, with ${Math.ceil(compiling.mebibytes)} MiB of memory`);
  }
  return exitCodes.ok;
}

/** `remit policy lint`. */
export function addPolicyLint(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("lint <path...>")
    .description("check documents without a service; ends with 1 when something is wrong")
    .option("--strict", "warnings count as errors")
    .addOption(new Option("--format <format>", "how problems are told").choices(formats).default("text"))
    .option("--json", "the same as --format json")
    .action(async (paths: string[], flags: LintFlags) => {
      ended(await lint(cli, paths, flags, policy.parent?.version() ?? ""));
    });
  examples(command, [
    ["before a commit", "remit policy lint policies/ --strict"],
    ["on GitHub, beside the lines", "remit policy lint policies/ --format github"],
  ]);
}
