import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Constraint as WireConstraint } from "@remit/proto/decision";

/** What a constraint holds. */
export type ConstraintValue =
  | { readonly durationMs: number }
  | { readonly integer: bigint }
  | { readonly text: string }
  | { readonly flag: boolean }
  | { readonly strings: readonly string[] };

/** Something that must be honoured when an allowed call runs: timeout, maxOutputBytes, redactOutput ... */
export interface Constraint {
  readonly name: string;
  readonly value: ConstraintValue;
}

/** The constraints that the SDK itself honours, whatever the tool. */
export const ownConstraints = ["timeout", "maxOutputBytes", "requireIdempotencyKey"] as const;

/** What the SDK enforces around a running tool; undefined is unlimited. */
export interface RunLimits {
  readonly timeoutMs: number | undefined;
  readonly outputBytesMax: number | undefined;
}

function readValue({ value }: WireConstraint): ConstraintValue | undefined {
  switch (value.case) {
    case "duration":
      return { durationMs: durationMs(value.value) };
    case "integer":
      return { integer: value.value };
    case "text":
      return { text: value.value };
    case "flag":
      return { flag: value.value };
    case "strings":
      return { strings: [...value.value.values] };
    default:
      return undefined;
  }
}

// A timeout without a duration or a size without a number cannot be honoured, so it must not be ignored.
function usable({ name, value }: Constraint): boolean {
  if (name === "timeout") return "durationMs" in value && value.durationMs > 0;
  if (name === "maxOutputBytes") return "integer" in value && value.integer >= 0n;
  return true;
}

/** The constraints of an answer, or the name of the first one that this caller cannot honour. */
export function readConstraints(
  wire: readonly WireConstraint[],
  supported: ReadonlySet<string>,
): { readonly constraints: readonly Constraint[] } | { readonly unsupported: string } {
  const constraints: Constraint[] = [];
  for (const one of wire) {
    const value = readValue(one);
    if (!supported.has(one.name) || !value || !usable({ name: one.name, value })) return { unsupported: one.name };
    constraints.push({ name: one.name, value });
  }
  return { constraints };
}

function smallest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values);
}

/** What the SDK enforces itself. Of several constraints of one name the narrowest counts. */
export function runLimits(constraints: readonly Constraint[]): RunLimits {
  const timeouts: number[] = [];
  const sizes: number[] = [];
  for (const { name, value } of constraints) {
    if (name === "timeout" && "durationMs" in value) timeouts.push(value.durationMs);
    if (name === "maxOutputBytes" && "integer" in value) sizes.push(Number(value.integer));
  }
  return { timeoutMs: smallest(timeouts), outputBytesMax: smallest(sizes) };
}

/** The size of what a tool returned in bytes, as JSON unless it is text or bytes; undefined when it cannot be known. */
export function outputBytes(output: unknown): number | undefined {
  if (output === undefined) return 0;
  if (typeof output === "string") return Buffer.byteLength(output);
  if (ArrayBuffer.isView(output) || output instanceof ArrayBuffer) return output.byteLength;
  try {
    const text = JSON.stringify(output) as string | undefined;
    if (text === undefined || (text === "{}" && !isPlain(output))) return undefined;
    return Buffer.byteLength(text);
  } catch {
    return undefined;
  }
}

// JSON has no word for streams, maps and the like, and says {} of all of them.
function isPlain(output: unknown): boolean {
  const prototype: unknown = Object.getPrototypeOf(output);
  return prototype === Object.prototype || prototype === null;
}
