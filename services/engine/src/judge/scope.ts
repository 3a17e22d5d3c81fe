import { evaluationStepsMax, type Meter, scanSteps } from "../cel/frame.ts";
import { compileGlob, compileGlobs } from "../compile/pattern.ts";
import { parseTimestampNs } from "../instant.ts";
import { isJsonObject, type JsonValue, ownValue } from "../json.ts";
import { allowedBy, type Bound, limitOf, limitTest } from "./limit.ts";

/** What a session may ever ask for. An empty list of tools grants nothing. */
export interface Scope {
  /** Globs over tool names. */
  readonly tools: readonly string[];
  readonly bounds?: readonly Bound[];
  /** Labels that the called tool must carry. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How many delegations may follow below; checked when one is made. */
  readonly maxDepth?: number;
  /** RFC 3339. */
  readonly expiresAt?: string;
  /** Whether whoever exceeds it is told what would be allowed; else they are told what was exceeded alone. */
  readonly disclose?: boolean;
}

export interface ScopedCall {
  readonly tool: string;
  readonly toolLabels: Readonly<Record<string, string>>;
  readonly input: JsonValue;
  readonly principal: string;
  /** RFC 3339. */
  readonly now: string;
}

export interface Excess {
  /** Names what was exceeded, never its limit: this is told to the model. */
  readonly message: string;
  /** The limit too. */
  readonly detail: string;
  /** The limit, where the scope discloses it. */
  readonly remedy?: string;
}

type CompiledScope = (call: ScopedCall, meter: Meter) => Excess | undefined;

// A session keeps its scope object from call to call, so that its globs are split once.
const compiledScopes = new WeakMap<Scope, CompiledScope>();

/**
 * What the call exceeds of the scopes, or undefined if every one of them permits it. No scope at all permits
 * nothing. A bound whose argument is missing or of another type is exceeded. Takes steps from the call's evaluation; a
 * call whose scopes take all there are exceeds them.
 */
export function exceededScope(scopes: readonly Scope[], call: ScopedCall, meter: Meter): Excess | undefined {
  if (scopes.length === 0) return { message: "the session has no scope", detail: "the session has no scope" };
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    let permits = compiledScopes.get(scope);
    if (!permits) {
      permits = compileScope(scope);
      compiledScopes.set(scope, permits);
    }
    const exceeded = permits(call, meter);
    if (exceeded !== undefined) return exceeded;
    if (meter.steps < 0) {
      const message = "the scopes that bind the session take too long to check";
      return { message, detail: `${message} (at most ${evaluationStepsMax} steps)` };
    }
  }
  return undefined;
}

/** The commonest scope of all: nothing to compile, nothing to remember. */
function permitsAll({ tools, bounds, labels, expiresAt }: Scope): boolean {
  return (
    tools.length === 1 && tools[0] === "*" && bounds === undefined && labels === undefined && expiresAt === undefined
  );
}

function compileScope(scope: Scope): CompiledScope {
  const tools = compileGlobs(scope.tools);
  const bounds = (scope.bounds ?? []).map((bound) => ({
    bound,
    names: compileGlob(bound.tool),
    test: compileBound(bound),
  }));
  const labels = Object.entries(scope.labels ?? {});
  const expiresNs = scope.expiresAt === undefined ? undefined : (parseTimestampNs(scope.expiresAt) ?? 0n);
  const steps = scope.tools.length + bounds.length + labels.length;
  const excess = (message: string, limit: string): Excess => ({
    ...{ message, detail: `${message} (${limit})` },
    ...(scope.disclose && { remedy: limit }),
  });
  return (call, meter) => {
    meter.steps -= steps;
    if (!tools(call.tool)) return excess(`the tool ${call.tool} is outside the scope`, scope.tools.join(", "));
    if (expiresNs !== undefined && (parseTimestampNs(call.now) ?? expiresNs) >= expiresNs) {
      return excess("the scope has expired", `at ${scope.expiresAt}`);
    }
    const label = labels.find(([key, value]) => ownValue(call.toolLabels, key) !== value);
    if (label) return excess(`the tool does not carry the label ${label[0]}`, `${label[0]}=${label[1]}`);
    const exceeded = bounds.find(({ names, test }) => names(call.tool) && !test(call, meter))?.bound;
    return exceeded && excess(`${exceeded.path} exceeds its bound ${limitOf(exceeded) ?? ""}`, allowedBy(exceeded));
  };
}

function compileBound(bound: Bound): (call: ScopedCall, meter: Meter) => boolean {
  const [root, ...keys] = bound.path.split(".");
  if (root !== "input" || keys.length === 0) return () => false;
  const test = limitTest(bound);
  return ({ input, principal }, meter) =>
    everyArgument(input, keys, 0, (argument) => {
      meter.steps -= typeof argument === "string" ? scanSteps(argument.length) : 1;
      return meter.steps >= 0 && test(argument, principal);
    });
}

/** Whether what lies at the end of the path is there and passes: everything, where `*` goes through the items of a list. */
function everyArgument(
  value: JsonValue,
  keys: readonly string[],
  at: number,
  test: (argument: JsonValue) => boolean,
): boolean {
  const key = keys[at];
  if (key === undefined) return test(value);
  if (key === "*") {
    // Of a map whose key is written so the other values would be bound by nothing.
    if (!Array.isArray(value)) return false;
    return value.length > 0 && value.every((item: JsonValue) => everyArgument(item, keys, at + 1, test));
  }
  const below = isJsonObject(value) ? ownValue(value, key) : undefined;
  return below !== undefined && everyArgument(below, keys, at + 1, test);
}
