import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ListDecisionsRequestSchema } from "@remit/proto/admin";
import type { Command } from "commander";
import { type Cli, printJson } from "../cli.ts";
import { type ListedDecision, readDecisions } from "../decision-list.ts";
import { effectOf, effectWords } from "../effects.ts";
import { examples } from "../examples.ts";
import { usage } from "../stop.ts";
import { table } from "../table.ts";
import { sinceMs } from "../time-span.ts";

interface ListFlags {
  since: string;
  agent?: string;
  tool?: string;
  effect?: string;
  would?: string;
  session?: string;
  rollout?: string;
  differs?: boolean;
  limit: string;
  json?: boolean;
}

function effectFlag(word: string | undefined, option: string) {
  if (word === undefined) return undefined;
  const found = effectOf(word);
  if (found !== undefined) return found;
  throw usage(`${option} takes one of ${effectWords.join(", ")}, got ${JSON.stringify(word)}`);
}

function query(flags: ListFlags, nowMs: number): MessageInitShape<typeof ListDecisionsRequestSchema> {
  const effect = effectFlag(flags.effect, "--effect");
  const would = effectFlag(flags.would, "--would");
  return {
    since: timestampFromMs(sinceMs(flags.since, nowMs)),
    agent: flags.agent ?? "",
    tool: flags.tool ?? "",
    sessionId: flags.session ?? "",
    rolloutId: flags.rollout ?? "",
    differs: flags.differs ?? false,
    ...(effect !== undefined && { effect }),
    ...(would !== undefined && { would }),
  };
}

function row({ id, at, tool, agent, effect, would, other, code, rules }: ListedDecision): string[] {
  const said = would === undefined ? effect : `${effect}, would ${would.effect}`;
  const answered = other === undefined ? said : `${said}, ${other.tried ? "tried" : "in force"} ${other.effect}`;
  const why = would ?? { code, rules };
  return [at, answered, tool, agent, why.rules.join(",") || why.code, id];
}

async function list(cli: Cli, flags: ListFlags): Promise<void> {
  const limit = Number(flags.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) throw usage("--limit takes a whole number above 0");
  const found: { entry: JsonObject; decision: ListedDecision }[] = [];
  for await (const one of readDecisions(cli.clients().ledger, query(flags, Date.now()), limit)) found.push(one);
  if (flags.json) {
    return printJson(
      cli.io,
      found.map(({ entry }) => entry),
    );
  }
  const titles = ["AT", "ANSWER", "TOOL", "AGENT", "RULES", "DECISION"].map((title) => ({ title }));
  const rows = found.map(({ decision }) => row(decision));
  for (const line of table(titles, rows)) cli.io.out(line);
  if (found.length === limit) cli.io.out(`the newest ${limit}; --limit shows more`);
}

/** `remit decisions list`: which calls were decided, and how. */
export function addDecisions(program: Command, cli: Cli): void {
  const command = program
    .command("decisions")
    .description("decisions that were made")
    .command("list")
    .description("decisions of the last hours, the newest first; `remit why` shows one whole")
    .option("--since <time>", "a duration such as 15m, 24h or 7d, or a time such as 2026-03-01T08:00:00Z", "24h")
    .option("--agent <name>", "of this agent")
    .option("--tool <name>", "of this tool")
    .option("--effect <effect>", "answered so: allow, transform, escalate, clarify, deny")
    .option("--would <effect>", "observed, and enforcement would have answered so")
    .option("--session <id>", "of this session")
    .option("--rollout <id>", "made while this rollout was under way")
    .option("--differs", "versions that were tried would have answered otherwise")
    .option("--limit <n>", "at most so many", "50")
    .option("--json", "for machines: the whole bodies, inputs too")
    .action((flags: ListFlags) => list(cli, flags));
  examples(command, [
    ["what would enforcement have stopped today?", "remit decisions list --would deny"],
    ["what would the version that is tried have changed?", "remit decisions list --differs"],
    ["what did an agent do in the last hour?", "remit decisions list --agent bookkeeper --since 1h"],
  ]);
}
