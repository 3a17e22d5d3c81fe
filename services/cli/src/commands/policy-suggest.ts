import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { JsonObject, ToolDocument } from "@remit/engine";
import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { readDecisions } from "../decision-list.ts";
import { type DocumentFile, isTestFile, readDocumentFiles } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { type ExitCode, exitCodes, Stop, usage } from "../stop.ts";
import { decisionCandidate, registeredTools } from "../suggest/from-decisions.ts";
import { logCandidates } from "../suggest/from-log.ts";
import { type Candidate, gather } from "../suggest/gather.ts";
import { readLog } from "../suggest/read-log.ts";
import type { Seen } from "../suggest/seen-call.ts";
import { type Suggestion, suggest } from "../suggest/suggest.ts";
import { suggestionJson, suggestionLines } from "../suggest/summary.ts";
import { writeDraft } from "../suggest/write-draft.ts";
import { sinceMs } from "../time-span.ts";
import { chooseAgent, TRACE_AGENT } from "../trace/documents.ts";

interface SuggestFlags {
  since: string;
  agent?: string;
  tool?: string;
  from?: string;
  policy?: string[];
  principal?: string;
  excludeDenied?: boolean;
  byLabels?: boolean;
  limit: string;
  out?: string;
  force?: boolean;
  json?: boolean;
}

/** Calls that were made, the tools they are of, and where both come from. */
interface Material {
  readonly candidates: readonly Candidate[];
  readonly tools: ReadonlyMap<string, ToolDocument>;
  readonly source: string;
}

const PROGRESS_EVERY = 500;

async function fromService(cli: Cli, flags: SuggestFlags): Promise<Material> {
  const limit = Number(flags.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) throw usage("--limit takes a whole number above 0");
  const clients = cli.clients();
  const since = sinceMs(flags.since, Date.now());
  const query = { since: timestampFromMs(since), agent: flags.agent ?? "", tool: flags.tool ?? "" };
  const candidates: Candidate[] = [];
  for await (const { entry } of readDecisions(clients.ledger, query, limit)) {
    candidates.push(decisionCandidate(entry as JsonObject));
    if (candidates.length % PROGRESS_EVERY === 0) cli.io.progress(`${candidates.length} decisions read`);
  }
  cli.io.progress("");
  if (candidates.length === limit)
    cli.io.err(`warning: only the newest ${limit} decisions are read; --limit reads more`);
  const names = new Set(candidates.flatMap(({ call }) => (typeof call === "string" ? [] : [call.tool])));
  const tools = await registeredTools(clients.tool, names);
  return { candidates, tools, source: `decided since ${new Date(since).toISOString()}` };
}

async function fromLog(cli: Cli, file: string, flags: SuggestFlags): Promise<Material> {
  const files: DocumentFile[] =
    flags.policy === undefined ? [] : (await readDocumentFiles(cli.io, flags.policy, "--policy")).documents;
  const { documents, problems } = await checkDocuments(files);
  if (refuses(problems, false)) {
    await printProblems(cli.io, problems);
    throw new Stop(exitCodes.no, "the documents have errors; nothing was drafted");
  }
  const agent = documents.agents.length === 0 ? (flags.agent ?? TRACE_AGENT) : chooseAgent(documents, flags.agent);
  const log = await readLog(cli.io, file, flags.principal);
  const calls = log.calls.filter(({ tool }) => flags.tool === undefined || tool === flags.tool);
  const found = logCandidates(await loadEngine(), { ...log, calls, agent, documents });
  return { ...found, source: "in a log" };
}

async function print(cli: Cli, seen: Seen, suggestion: Suggestion, flags: SuggestFlags): Promise<void> {
  const written = flags.out === undefined ? [] : await writeDraft(flags.out, suggestion.files, flags.force ?? false);
  if (flags.json) return printJson(cli.io, suggestionJson(seen, suggestion));
  const documents = suggestion.files.filter(({ file }) => !isTestFile(file));
  if (flags.out === undefined && documents.length > 0) cli.io.out(documents.map(({ text }) => text).join("---\n"));
  const tell = flags.out === undefined ? cli.io.err : cli.io.out;
  for (const line of suggestionLines(seen, suggestion, paintFor(cli.io))) tell(line);
  for (const path of written) tell(`wrote ${path}`);
  if (flags.out !== undefined) tell(`next: remit policy test ${flags.out}`);
}

async function suggestPolicy(cli: Cli, flags: SuggestFlags): Promise<ExitCode> {
  const { from, excludeDenied = false, byLabels = false } = flags;
  const material = from === undefined ? await fromService(cli, flags) : await fromLog(cli, from, flags);
  const engine = await loadEngine();
  const seen = gather({ engine, excludeDenied, ...material });
  const { calls, source } = seen;
  const suggestion = suggest({ engine, calls, tools: material.tools, byLabels, source });
  if (calls.length === 0) cli.io.err("no call is left to draft from");
  await print(cli, seen, suggestion, flags);
  return calls.length === 0 ? exitCodes.no : exitCodes.ok;
}

/** `remit policy suggest`: the least that allows what was seen. */
export function addPolicySuggest(policy: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = policy
    .command("suggest")
    .description("draft a least-privilege policy and its tests from calls that were observed, or from a log")
    .option("--since <time>", "a duration such as 24h or 7d, or a time such as 2026-03-01T08:00:00Z", "24h")
    .option("--agent <name>", "calls of this agent; of a log: who made them")
    .option("--tool <name>", "calls of this tool")
    .option("--from <file>", "a JSONL log as for trace-run, instead of a service's decisions")
    .option("--policy <path>", "with --from: documents in force already; several times", collect)
    .option("--principal <path>", "with --from and --policy: where in a call its session's principal is found")
    .option("--exclude-denied", "leave out calls that a rule in force denies, or would if it were enforced")
    .option("--by-labels", "one policy for all agents that carry the same labels, instead of one an agent")
    .option("--limit <n>", "read at most so many decisions, the newest", "20000")
    .option("--out <dir>", "write policies, tests and tools there; else policies and tools are printed")
    .option("--force", "replace files that are there")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nEach call that the draft rests on is allowed by it. Its comments say what is stopped, and what passes unseen.\n" +
        "The draft holds arguments of real calls, also in its tests. Nothing is put in force.",
    )
    .action(async (flags: SuggestFlags) => ended(await suggestPolicy(cli, flags)));
  examples(command, [
    ["what did the observed agents need since yesterday?", "remit policy suggest --since 24h --out drafts/"],
    ["from a log, without a service", "remit policy suggest --from calls.jsonl --agent bookkeeper --out drafts/"],
  ]);
}
