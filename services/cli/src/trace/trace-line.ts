/** One tool call of a log. */
export interface TracedCall {
  /** Counts from 1. */
  readonly line: number;
  readonly run: string;
  readonly step: number | string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  /** When it was made, milliseconds since 1970; undefined when the log does not say. */
  readonly atMs: number | undefined;
  /** Whether the tool failed when it really ran; undefined when the log does not say. */
  readonly failed: boolean | undefined;
}

/** Why a line is not a call. */
export interface LineProblem {
  readonly line: number;
  readonly message: string;
}

const known = new Set(["run", "step", "tool", "input", "context", "at", "error"]);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

class BadLine extends Error {}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// A number that a double cannot hold would be decided as another number than the one that stands in the log.
function exactNumbers(this: unknown, key: string, value: unknown, source?: { source: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  throw new BadLine(`the number ${source?.source ?? value} at ${key} is beyond ±(2^53−1); write it as a string`);
}

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text, exactNumbers);
  } catch (error) {
    if (error instanceof BadLine) throw error;
    throw new BadLine(`not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new BadLine("not a JSON object");
  const unknown = Object.keys(value).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new BadLine(`unknown field ${unknown.join(", ")}; known are ${[...known].join(", ")}`);
  return value;
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw new BadLine(`\`${name}\` must be a JSON object`);
  return value;
}

function word(value: unknown, name: string): string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string" || value === "") throw new BadLine(`\`${name}\` must be a text that is not empty`);
  return value;
}

function step(value: unknown): number | string {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : word(value, "step");
}

function time(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === "string" && RFC3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new BadLine("`at` must be a time such as 2026-05-15T15:00:00Z");
  return ms;
}

function flag(value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw new BadLine("`error` must be true or false");
}

/** Reads one line: `run, step, tool, input` and, if they are there, `context, at, error`. Nothing else. */
export function readTraceLine(text: string, line: number): TracedCall | LineProblem {
  try {
    const value = parse(text);
    if (typeof value.tool !== "string" || value.tool === "") throw new BadLine("`tool` must be the name of a tool");
    return {
      line,
      run: word(value.run, "run"),
      step: step(value.step),
      tool: value.tool,
      input: object(value.input, "input"),
      context: object(value.context ?? {}, "context"),
      atMs: time(value.at),
      failed: flag(value.error),
    };
  } catch (error) {
    if (error instanceof BadLine) return { line, message: error.message };
    throw error;
  }
}
