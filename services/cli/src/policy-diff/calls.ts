import type { ComparedCall, Documents, Facts, JsonObject, JsonValue } from "@remit/engine";
import type { Cli } from "../cli.ts";
import { type DocumentFile, readText } from "../document-files.ts";
import { loadEngine } from "../engine.ts";
import { printProblems } from "../problems.ts";
import { isObject, recordedFacts, type Unjudged, unjudged } from "../recorded-facts.ts";
import { exitCodes, Stop } from "../stop.ts";
import { readTraceLine } from "../trace/trace-line.ts";

/** The calls of policy tests, each once. */
export async function callsOfTests(cli: Cli, files: readonly DocumentFile[]): Promise<ComparedCall[]> {
  if (files.length === 0) return [];
  const { testCalls, toFacts } = await loadEngine();
  const { calls, problems } = testCalls(files);
  if (problems.length > 0) {
    await printProblems(cli.io, problems);
    throw new Stop(exitCodes.no, "the tests have errors; nothing was compared");
  }
  const seen = new Set<string>();
  return calls.flatMap(({ file, name, written }) => {
    const text = JSON.stringify(written);
    if (seen.has(text)) return [];
    seen.add(text);
    const facts = toFacts(written);
    return [{ name: `${file}: ${name}`, before: facts, after: facts }];
  });
}

/** What a log of calls says, and of how many it does not say enough. */
export interface LoggedCalls {
  readonly calls: readonly ComparedCall[];
  readonly left: Readonly<Partial<Record<Unjudged, number>>>;
}

const callsMax = 1_000_000;

/** One JSON value a line, or one list of them all; each with the line it begins at. */
function values(file: string, text: string): { readonly line: number; readonly text: string }[] {
  if (text.trimStart().startsWith("[")) {
    const list = parsed(file, 1, text);
    return (Array.isArray(list) ? list : []).map((value: JsonValue) => ({ line: 1, text: JSON.stringify(value) }));
  }
  return text.split("\n").flatMap((line, at) => (line.trim() === "" ? [] : [{ line: at + 1, text: line }]));
}

function parsed(file: string, line: number, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new Stop(
      exitCodes.no,
      `${file}:${line}: not JSON: ${(error as Error).message}`,
      "one decision or call a line",
    );
  }
}

/** Who makes the calls of a trace, on one side. */
function traceFacts(
  call: JsonObject,
  agent: string,
  principal: string,
  documents: Documents,
  complete: (written: JsonObject) => Facts,
) {
  const spec = documents.agents.find(({ metadata }) => metadata.name === agent)?.spec;
  return complete({
    call,
    agent: { id: agent, labels: { ...spec?.labels } },
    principal: { id: principal },
    ...(spec?.ceiling && { scopes: [spec.ceiling as unknown as JsonObject] }),
  });
}

export interface LogReading {
  readonly file: string;
  readonly agent: string;
  /** A path into a call, such as context.user.id. */
  readonly principal: string | undefined;
  readonly from: Documents;
  readonly to: Documents;
}

/**
 * The calls of a log: decisions as `remit decisions list --json` prints them or one a line, or a log of calls as
 * `remit trace-run` reads it.
 */
export async function callsOfLog(cli: Cli, { file, agent, principal, from, to }: LogReading): Promise<LoggedCalls> {
  const { completeFacts, toFacts } = await loadEngine();
  const left: Partial<Record<Unjudged, number>> = {};
  const calls: ComparedCall[] = [];
  for (const { line, text } of values(file, await readText(cli.io, file, "--calls"))) {
    if (calls.length >= callsMax) throw new Stop(exitCodes.no, `${file} has more than ${callsMax} calls`);
    const value = parsed(file, line, text);
    if (isObject(value) && (value.kind === "decision" || typeof value.effect === "string")) {
      const written = recordedFacts(value);
      if (typeof written === "string") left[written] = (left[written] ?? 0) + 1;
      else {
        const facts = toFacts(written);
        calls.push({ name: `decision ${String(value.id)}`, before: facts, after: facts });
      }
      continue;
    }
    const traced = readTraceLine(text, line);
    if ("message" in traced) throw new Stop(exitCodes.no, `${file}:${line}: ${traced.message}`);
    const { tool, input, context, run, step } = traced;
    const call = { tool, input, context } as JsonObject;
    const whom = principalOf(call, principal);
    calls.push({
      name: `${file}:${line} (run ${run}, step ${step})`,
      before: traceFacts(call, agent, whom, from, completeFacts),
      after: traceFacts(call, agent, whom, to, completeFacts),
    });
  }
  return { calls, left };
}

function principalOf(call: JsonObject, path: string | undefined): string {
  let value: JsonValue | undefined = call;
  for (const key of path?.split(".") ?? []) value = isObject(value) ? value[key] : undefined;
  return typeof value === "string" && value !== "" ? value : "principal";
}

/** What was left out, in words. */
export function leftLines(left: LoggedCalls["left"]): string[] {
  return (Object.keys(unjudged) as Unjudged[]).flatMap((why) => {
    const count = left[why];
    return count === undefined ? [] : [`${count} of the log ${unjudged[why]}; left out`];
  });
}
