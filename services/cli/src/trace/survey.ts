import type { LineProblem, TracedCall } from "./trace-line.ts";

/** What a log holds, found out before anything is decided. */
export interface Survey {
  readonly calls: number;
  /** For whom each run acts; undefined where no call of the run says so. */
  readonly principals: ReadonlyMap<string, string | undefined>;
  readonly tools: ReadonlySet<string>;
  readonly firstAtMs: number | undefined;
  /** At most `problemsMax` of them. */
  readonly problems: readonly LineProblem[];
}

const problemsMax = 20;

/** Whether a path may name a principal. */
export function isPrincipalPath(path: string): boolean {
  return /^(?:run|(?:context|input)(?:\.[^.\s]+)+)$/.test(path);
}

/** What stands at a path of a call: `context.user.id`. Undefined when something on the way is missing. */
function valueAt(call: TracedCall, path: string): unknown {
  let value: unknown = call;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function principalOf(call: TracedCall, path: string): string | undefined | LineProblem {
  const value = valueAt(call, path);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value !== "") return value;
  return { line: call.line, message: `the principal at ${path} must be a text that is not empty` };
}

/** Reads the whole log once. A run's principal is what the first of its calls that names one says. */
export async function survey(
  trace: AsyncIterable<TracedCall | LineProblem>,
  principalPath: string | undefined,
): Promise<Survey> {
  const principals = new Map<string, string | undefined>();
  const tools = new Set<string>();
  const problems: LineProblem[] = [];
  let calls = 0;
  let firstAtMs: number | undefined;
  for await (const item of trace) {
    if (problems.length >= problemsMax) break;
    if ("message" in item) {
      problems.push(item);
      continue;
    }
    calls++;
    firstAtMs ??= item.atMs;
    tools.add(item.tool);
    const known = principals.get(item.run);
    const found = known === undefined && principalPath !== undefined ? principalOf(item, principalPath) : known;
    if (typeof found === "object") problems.push(found);
    else principals.set(item.run, found);
  }
  return { calls, principals, tools, firstAtMs, problems };
}
