import { access } from "node:fs/promises";
import type { Command } from "commander";
import { collect } from "../arguments.ts";
import { type Cli, paintFor, printJson } from "../cli.ts";
import { connectClients } from "../clients.ts";
import { type Document, readDocumentFiles, separate } from "../document-files.ts";
import { examples } from "../examples.ts";
import { checkDocuments } from "../offline.ts";
import { printProblems, refuses } from "../problems.ts";
import { applyDocuments } from "../publish.ts";
import { loadPdp, withThrowAwayPdp } from "../service.ts";
import { type ExitCode, exitCodes, Stop, usage } from "../stop.ts";
import { createAsker } from "../trace/asker.ts";
import { chooseAgent, TRACE_AGENT, traceAgent, unclassifiedTool } from "../trace/documents.ts";
import { play, START_MS } from "../trace/play.ts";
import { openResults } from "../trace/results-file.ts";
import { summaryJson, summaryLines, type TraceResult } from "../trace/summary.ts";
import { isPrincipalPath, type Survey, survey } from "../trace/survey.ts";
import { readTrace } from "../trace/trace-file.ts";

interface TraceFlags {
  policy?: string[];
  principal?: string;
  agent?: string;
  results?: string;
  breakers?: boolean;
  json?: boolean;
}

const NOBODY = "unknown";
const PROGRESS_EVERY_CALLS = 20;

function checkFlags({ principal }: TraceFlags): void {
  if (principal !== undefined && !isPrincipalPath(principal)) {
    throw usage(
      `--principal takes a path into a call, got ${JSON.stringify(principal)}`,
      "--principal context.user.id",
    );
  }
}

async function surveyLog(cli: Cli, file: string, flags: TraceFlags): Promise<Survey> {
  try {
    await access(file);
  } catch {
    throw usage(`cannot read ${file}`, "remit trace-run FILE, one JSON object a line");
  }
  const found = await survey(readTrace(file), flags.principal);
  for (const { line, message } of found.problems) cli.io.err(`${file}:${line}: error: ${message}`);
  if (found.problems.length > 0)
    throw new Stop(exitCodes.no, "the log is not a log of tool calls; nothing was decided");
  if (found.calls === 0) throw usage(`${file} holds no calls`);
  return found;
}

interface Prepared {
  readonly documents: readonly Document[];
  readonly agent: string;
}

async function prepare(cli: Cli, flags: TraceFlags, log: Survey): Promise<Prepared> {
  const { io } = cli;
  const files = flags.policy === undefined ? [] : (await readDocumentFiles(io, flags.policy, "--policy")).documents;
  const { documents, problems } = await checkDocuments(files);
  await printProblems(
    io,
    problems.filter(({ severity }) => severity === "error"),
  );
  if (refuses(problems, false)) throw new Stop(exitCodes.no, "the documents have errors; nothing was decided");
  if (documents.policies.length === 0)
    io.err("warning: no policy is given, so everything is denied; give one with --policy");
  const registered = new Set(documents.tools.map(({ metadata }) => metadata.name));
  const unknown = [...log.tools].filter((tool) => !registered.has(tool)).sort();
  if (unknown.length > 0) {
    io.err(`warning: no document registers these tools, so they are unclassified: ${unknown.join(", ")}`);
  }
  const nameless =
    flags.principal === undefined ? 0 : [...log.principals.values()].filter((id) => id === undefined).length;
  if (nameless > 0)
    io.err(`warning: ${nameless} runs name no principal at ${flags.principal}; they act for \`${NOBODY}\``);
  const agent = chooseAgent(documents, flags.agent);
  const bringsAgent = documents.agents.some(({ metadata }) => metadata.name === agent);
  const added = [...unknown.map(unclassifiedTool), ...(bringsAgent ? [] : [traceAgent()])];
  return { documents: [...(await separate(files)), ...added], agent };
}

async function playLog(cli: Cli, file: string, flags: TraceFlags, log: Survey, ready: Prepared): Promise<TraceResult> {
  const { io } = cli;
  const results = flags.results === undefined ? undefined : await openResults(flags.results);
  const clock = (await loadPdp()).settableClock(log.firstAtMs ?? START_MS);
  io.progress("starting a throw-away service ...");
  try {
    return await withThrowAwayPdp({ clock, breakers: flags.breakers ?? false }, async (pdp) => {
      const { adminAddress, grpcAddress, ownerKey: apiKey } = pdp;
      const clients = connectClients({ address: grpcAddress, adminAddress, apiKey });
      const applied = await applyDocuments(clients, ready.documents, { dryRun: false, strict: false, activate: true });
      if (refuses(applied.problems, false)) {
        await printProblems(io, applied.problems);
        throw new Stop(exitCodes.no, "the service refused the documents; nothing was decided");
      }
      let played = 0;
      return await play({
        trace: readTrace(file),
        principalOf: (run) => log.principals.get(run) ?? NOBODY,
        asker: createAsker({ grpcAddress, apiKey, agent: ready.agent }),
        setTime: clock.set,
        onPlayed: async (call) => {
          played++;
          if (played % PROGRESS_EVERY_CALLS === 0) io.progress(`${played} of ${log.calls} calls`);
          await results?.add(call);
        },
      });
    });
  } finally {
    io.progress("");
    await results?.close();
  }
}

async function traceRun(cli: Cli, file: string, flags: TraceFlags): Promise<ExitCode> {
  checkFlags(flags);
  const log = await surveyLog(cli, file, flags);
  const result = await playLog(cli, file, flags, log, await prepare(cli, flags, log));
  if (flags.json) printJson(cli.io, summaryJson(result));
  else for (const line of summaryLines(result, paintFor(cli.io))) cli.io.out(line);
  return exitCodes.ok;
}

/** `remit trace-run`: what would policies have said to calls that were really made? */
export function addTraceRun(program: Command, cli: Cli, ended: (code: ExitCode) => void): void {
  const command = program
    .command("trace-run <file>")
    .description("play a JSONL log of tool calls through a throw-away service under given policies")
    .option("--policy <path>", "documents: a file or a directory; several times", collect)
    .option("--principal <path>", "where in a call its session's principal is found, e.g. context.user.id")
    .option("--agent <name>", `which agent makes the calls (default: the documents' own, else ${TRACE_AGENT})`)
    .option(
      "--results <file>",
      "one JSON object a call: line, run, step, tool, effect, code, rules; would, if observed",
    )
    .option("--breakers", "also stop loops and floods, by the documents' limits and the defaults; counted apart")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      "\nA line is {run, step, tool, input}, and may have context, at (when it was made) and error (whether the tool failed).\n" +
        "One session a run. Time comes from `at`, else it is one call a second. No running service is touched.",
    )
    .action(async (file: string, flags: TraceFlags) => ended(await traceRun(cli, file, flags)));
  examples(command, [
    [
      "what would these policies have stopped?",
      "remit trace-run calls.jsonl --policy policies/ --principal context.user.id",
    ],
    ["what would breakers stop besides?", "remit trace-run calls.jsonl --policy policies/ --breakers"],
    [
      "one line a call, for your own counting",
      "remit trace-run calls.jsonl --policy policies/ --results decided.jsonl",
    ],
  ]);
}
