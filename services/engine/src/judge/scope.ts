import { compileGlob, compileGlobs } from "../compile/pattern.ts";
import { parseTimestampNs } from "../instant.ts";
import { isJsonObject, type JsonValue, ownValue } from "../json.ts";

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
}

/** A limit on one argument of the tools a glob names. Compared exactly; exactly one limit a bound. */
export interface Bound {
  readonly tool: string;
  /** `input.amount`, `input.to.country`. */
  readonly path: string;
  readonly max?: number;
  readonly min?: number;
  readonly in?: readonly (string | number | boolean)[];
  readonly prefix?: string;
  /** A literal, or the reference `principal.id`. */
  readonly equals?: string | number | boolean;
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
}

type CompiledScope = (call: ScopedCall) => Excess | undefined;

// A session keeps its scope object from call to call, so that its globs are split once.
const compiledScopes = new WeakMap<Scope, CompiledScope>();

/**
 * What the call exceeds of the scopes, or undefined if every one of them permits it. No scope at all permits
 * nothing. A bound whose argument is missing or of another type is exceeded.
 */
export function exceededScope(scopes: readonly Scope[], call: ScopedCall): Excess | undefined {
  if (scopes.length === 0) return excess("the session has no scope");
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    let permits = compiledScopes.get(scope);
    if (!permits) {
      permits = compileScope(scope);
      compiledScopes.set(scope, permits);
    }
    const exceeded = permits(call);
    if (exceeded !== undefined) return exceeded;
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
  return (call) => {
    if (!tools(call.tool)) return excess(`the tool ${call.tool} is outside the scope`, scope.tools.join(", "));
    if (expiresNs !== undefined && (parseTimestampNs(call.now) ?? expiresNs) >= expiresNs) {
      return excess("the scope has expired", `at ${scope.expiresAt}`);
    }
    const label = labels.find(([key, value]) => ownValue(call.toolLabels, key) !== value);
    if (label) return excess(`the tool does not carry the label ${label[0]}`, `${label[0]}=${label[1]}`);
    const exceeded = bounds.find(({ names, test }) => names(call.tool) && !test(call));
    return exceeded && describeBound(exceeded.bound);
  };
}

function excess(message: string, limit?: string): Excess {
  return { message, detail: limit === undefined ? message : `${message} (${limit})` };
}

function compileBound(bound: Bound): (call: ScopedCall) => boolean {
  const [root, ...keys] = bound.path.split(".");
  const tests = limitTests(bound);
  if (root !== "input" || keys.length === 0 || tests.length === 0) return () => false;
  return (call) => {
    let value: JsonValue | undefined = call.input;
    for (const key of keys) value = isJsonObject(value) ? ownValue(value, key) : undefined;
    const argument = value;
    return argument !== undefined && tests.every((test) => test(argument, call));
  };
}

type LimitTest = (value: JsonValue, call: ScopedCall) => boolean;

function limitTests(bound: Bound): LimitTest[] {
  const { max, min, in: members, prefix, equals } = bound;
  const tests: LimitTest[] = [];
  if (max !== undefined) tests.push((value) => typeof value === "number" && value <= max);
  if (min !== undefined) tests.push((value) => typeof value === "number" && value >= min);
  if (members !== undefined) tests.push((value) => (members as readonly JsonValue[]).includes(value));
  if (prefix !== undefined) tests.push((value) => typeof value === "string" && value.startsWith(prefix));
  if (equals === "principal.id") tests.push((value, call) => value === call.principal);
  else if (equals !== undefined) tests.push((value) => value === equals);
  return tests;
}

function describeBound(bound: Bound): Excess {
  const { path, max, min, in: members, prefix, equals } = bound;
  if (max !== undefined) return excess(`${path} exceeds its bound max`, `at most ${max}`);
  if (min !== undefined) return excess(`${path} exceeds its bound min`, `at least ${min}`);
  if (members !== undefined) return excess(`${path} exceeds its bound in`, `one of ${members.join(", ")}`);
  if (prefix !== undefined) return excess(`${path} exceeds its bound prefix`, `begins with ${prefix}`);
  return excess(`${path} exceeds its bound equals`, `equals ${equals}`);
}
