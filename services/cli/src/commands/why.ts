import { createHash } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { type Entry, GetDecisionResponseSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { examples } from "../examples.ts";
import { type ExitCode, exitCodes } from "../stop.ts";
import { whyLines } from "../why-text.ts";

/** The digest of an entry's canonical body, computed here: nothing is believed that can be checked. */
function digestOf(entry: Entry): string {
  return `sha256:${createHash("sha256").update(`remit/entry/v1\n${entry.canonical}`).digest("hex")}`;
}

async function why(cli: Cli, decisionId: string, flags: { json?: boolean }): Promise<ExitCode> {
  const answer = await cli.clients().ledger.getDecision({ decisionId });
  const entries = [...(answer.decision === undefined ? [] : [answer.decision]), ...answer.reports];
  const altered = entries.filter((entry) => !entry.erased && digestOf(entry) !== entry.digest);
  if (flags.json) {
    printJson(cli.io, toJson(GetDecisionResponseSchema, answer));
  } else {
    for (const line of whyLines(entries, paintFor(cli.io))) cli.io.out(line);
  }
  for (const entry of altered)
    cli.io.err(`error: the ${entry.kind} ${entry.id} does not match its digest ${entry.digest}`);
  return altered.length === 0 ? exitCodes.ok : exitCodes.no;
}

/** `remit why`: one decision whole, as the ledger has it. */
export function addWhy(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("why <decision>")
    .description("one decision whole: who asked, for whom, what was answered, by which rules, and what became of it")
    .option("--json", "for machines")
    .action(async (decision: string, flags: { json?: boolean }) => ended(await why(cli, decision, flags)));
  examples(command, [["the id stands in every answer", "remit why 019a2f3e-5d1c-7c3e-9a44-0d6f0b1f2a3c"]]);
}
