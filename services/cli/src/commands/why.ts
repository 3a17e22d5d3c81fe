import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { toJson } from "@bufbuild/protobuf";
import type { JsonObject } from "@remit/engine";
import { type Entry, GetDecisionResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { decisionTest } from "../decision-test.ts";
import { isTestFile } from "../document-files.ts";
import { examples } from "../examples.ts";
import { type ExitCode, exitCodes, Stop, usage } from "../stop.ts";
import { whyLines } from "../why-text.ts";

interface WhyFlags {
  asTest?: boolean;
  out?: string;
  json?: boolean;
}

/** The digest of an entry's canonical body, computed here: nothing is believed that can be checked. */
function digestOf(entry: Entry): string {
  return `sha256:${createHash("sha256").update(`remit/entry/v1\n${entry.canonical}`).digest("hex")}`;
}

/** Puts a document at the end of a file of documents, which may not be there yet. */
async function append(file: string, text: string): Promise<void> {
  try {
    const before = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const between = before.trim() === "" ? "" : before.endsWith("\n") ? "---\n" : "\n---\n";
    await appendFile(file, `${between}${text}`);
  } catch (error) {
    throw usage(`--out cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

async function printTest(cli: Cli, decision: Entry | undefined, out: string | undefined): Promise<void> {
  if (decision === undefined) throw new Stop(exitCodes.no, "there is no such decision");
  const body = decision.erased ? { erased: true } : ((decision.body ?? {}) as JsonObject);
  const text = await decisionTest(decision.id, body);
  if (out === undefined) {
    cli.io.out(text.trimEnd());
    return;
  }
  await append(out, text);
  cli.io.err(`a case was added to ${out}: run it with remit policy test`);
}

async function why(cli: Cli, decisionId: string, flags: WhyFlags): Promise<ExitCode> {
  if (flags.out !== undefined && !(flags.asTest && isTestFile(flags.out))) {
    throw usage("--out takes a file of tests, with --as-test", "--as-test --out payments_test.yaml");
  }
  const answer = await cli.clients().ledger.getDecision({ decisionId });
  const entries = [...(answer.decision === undefined ? [] : [answer.decision]), ...answer.reports];
  const altered = entries.filter((entry) => !entry.erased && digestOf(entry) !== entry.digest);
  for (const entry of altered)
    cli.io.err(`error: the ${entry.kind} ${entry.id} does not match its digest ${entry.digest}`);
  if (flags.asTest) {
    if (altered.length === 0) await printTest(cli, answer.decision, flags.out);
  } else if (flags.json) {
    printJson(cli.io, toJson(GetDecisionResponseSchema, answer));
  } else {
    for (const line of whyLines(entries, paintFor(cli.io))) cli.io.out(line);
  }
  return altered.length === 0 ? exitCodes.ok : exitCodes.no;
}

/** `remit why`: one decision whole, as the ledger has it. */
export function addWhy(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("why <decision>")
    .description("one decision whole: who asked, for whom, what was answered, by which rules, and what became of it")
    .option("--as-test", "write it as a case of a policy test, which passes on the policies that decided it")
    .option("--out <file>", "add the case to a *_test.yaml instead of printing it")
    .option("--json", "for machines")
    .action(async (decision: string, flags: WhyFlags) => ended(await why(cli, decision, flags)));
  examples(command, [
    ["the id stands in every answer", "remit why 019a2f3e-5d1c-7c3e-9a44-0d6f0b1f2a3c"],
    [
      "never again otherwise",
      "remit why 019a2f3e-5d1c-7c3e-9a44-0d6f0b1f2a3c --as-test --out policies/payments_test.yaml",
    ],
  ]);
}
