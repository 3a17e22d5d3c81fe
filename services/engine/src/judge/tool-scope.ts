import { evaluationStepsMax, type Meter, scanSteps } from "../cel/frame.ts";
import { matchesGlob } from "../compile/pattern.ts";
import { finish, type Steps } from "../compile/steps.ts";
import { parseTimestampNs } from "../instant.ts";
import { isJsonObject, type JsonValue, ownValue } from "../json.ts";
import { type Bound, type LimitTest, limitTest } from "./limit.ts";
import type { Excess, Scope, ScopedCall } from "./scope.ts";

/** A bound as calls are judged by it. There may be very many in use: `isWithin` is one function for all. */
export interface CompiledBound {
  readonly bound: Bound;
  /** Lead to its argument; none where its path leads elsewhere. */
  readonly keys: readonly string[];
  readonly test: LimitTest;
}

/** What a scope says of calls of one tool. */
export interface ToolScope {
  /** The first of its globs that names the tool; undefined where the tool is outside. */
  readonly glob: string | undefined;
  /** Those that name the tool, in their order. */
  readonly bounds: readonly CompiledBound[];
}

/** What many scopes say of calls of one tool, read before one of them is judged. */
export interface ScopesRead {
  readonly tool: string;
  readonly of: ReadonlyMap<Scope, ToolScope>;
  /** What they say to one of these calls, where it was judged by them before its rules are asked. */
  readonly judged?: ScopesJudged;
}

/** What scopes say to one call: of all that they look at. */
export interface ScopesJudged {
  readonly scopes: readonly Scope[];
  readonly call: ScopedCall;
  readonly excess: Excess | undefined;
  /** Of a whole evaluation. */
  readonly stepsLeft: number;
}

/** What is known of a scope for as long as its object is in use. */
export interface KnownScope {
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly expiresNs: bigint | undefined;
  /** What looking at it takes of an evaluation, whatever of it was read before. */
  readonly steps: number;
  /** By their place; each is compiled once a call is within reach of it. */
  readonly bounds: (CompiledBound | undefined)[];
  /** The ways of its bounds into an input: most lead to the same arguments. */
  readonly ways: Map<string, readonly string[]>;
  /** By the tool, the oldest first. */
  readonly byTool: Map<string, ToolScope>;
}

/** Of one scope: beyond it the tool that was read first is read anew. What is in use is held by the call itself. */
const TOOLS_KEPT_MAX = 16;
/** Scopes of no more names and bounds together are read while the call is judged: in some hundredths of a millisecond. */
const READ_AT_ONCE_MAX = 64;
/** Compiling a bound takes as long as comparing with some names; of a list of values, some more. */
const NAMES_PER_BOUND = 4;
const VALUES_PER_NAME = 8;

/** Costs in units of ten microseconds. */
const SCOPE_COST = 0.03;
const NAME_COST = 0.02;
const CHAR_COST = 0.0006;
const BOUND_COST = 0.1;
const MEMBER_COST = 0.03;
/** What is done between two steps of reading. */
const STEP_COST = 5;

// A session keeps its scope object from call to call, and a tenant those of its groups from load to load.
const knownScopes = new WeakMap<Scope, KnownScope>();

export function knownScope(scope: Scope): KnownScope {
  const before = knownScopes.get(scope);
  if (before) return before;
  const labels = Object.entries(scope.labels ?? {});
  const expiresNs = scope.expiresAt === undefined ? undefined : (parseTimestampNs(scope.expiresAt) ?? 0n);
  const { tools, bounds } = scope.partOf ?? { tools: scope.tools.length, bounds: scope.bounds?.length ?? 0 };
  const steps = tools + bounds + labels.length;
  const known: KnownScope = { labels, expiresNs, steps, bounds: [], ways: new Map(), byTool: new Map() };
  knownScopes.set(scope, known);
  return known;
}

const nameCost = (glob: string) => NAME_COST + glob.length * CHAR_COST;

/** Yields what each part cost. */
function* readingFor(scope: Scope, tool: string): Steps<ToolScope> {
  const { byTool, bounds: compiled, ways } = knownScope(scope);
  const before = byTool.get(tool);
  if (before) return before;
  let cost = SCOPE_COST;
  let permitting: string | undefined;
  for (const glob of scope.tools) {
    if (matchesGlob(glob, tool)) {
      permitting = glob;
      break;
    }
    cost += nameCost(glob);
    if (cost < STEP_COST) continue;
    yield cost;
    cost = 0;
  }
  const bounds: CompiledBound[] = [];
  // Where the tool is outside, nobody asks for its bounds.
  for (const [at, bound] of ((permitting && scope.bounds) || []).entries()) {
    cost += nameCost(bound.tool);
    if (matchesGlob(bound.tool, tool)) {
      let known = compiled[at];
      if (!known) {
        known = { bound, keys: keysOf(bound.path, ways), test: limitTest(bound) };
        compiled[at] = known;
        cost += BOUND_COST + (bound.in?.length ?? 0) * MEMBER_COST + bound.path.length * CHAR_COST;
      }
      bounds.push(known);
    }
    if (cost < STEP_COST) continue;
    yield cost;
    cost = 0;
  }
  yield cost;
  const read: ToolScope = { glob: permitting, bounds };
  for (const [oldest] of byTool) {
    if (byTool.size < TOOLS_KEPT_MAX) break;
    byTool.delete(oldest);
  }
  byTool.set(tool, read);
  return read;
}

/** The same at once. */
export function toolScope(scope: Scope, tool: string): ToolScope {
  return finish(readingFor(scope, tool));
}

/** The commonest scope of all: nothing to read, nothing to remember. What is left of a longer one takes that one's steps. */
export function permitsAll({ tools, bounds, labels, expiresAt, partOf }: Scope): boolean {
  if (tools.length !== 1 || tools[0] !== "*") return false;
  return bounds === undefined && labels === undefined && expiresAt === undefined && partOf === undefined;
}

function* readingAll(scopes: readonly Scope[], tool: string): Steps<ScopesRead> {
  const of = new Map<Scope, ToolScope>();
  let steps = 0;
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    of.set(scope, yield* readingFor(scope, tool));
    yield SCOPE_COST;
    steps += knownScope(scope).steps;
    // Whoever judges by them comes no further.
    if (steps > evaluationStepsMax) break;
  }
  return { tool, of };
}

/**
 * Reads what scopes say of calls of one tool, part by part, to be done before a call is judged by them; yields what each
 * part cost, in units of ten microseconds. Undefined where they say so little that it need not be done before.
 */
export function readScopes(scopes: readonly Scope[], tool: string): Steps<ScopesRead> | undefined {
  let names = 0;
  for (const { tools, bounds } of scopes) {
    names += tools.length + (bounds ? bounds.length * NAMES_PER_BOUND : 0);
    if (names <= READ_AT_ONCE_MAX && bounds) names += valuesOf(bounds) / VALUES_PER_NAME;
    if (names > READ_AT_ONCE_MAX) return readingAll(scopes, tool);
  }
  return undefined;
}

function valuesOf(bounds: readonly Bound[]): number {
  let values = 0;
  for (const bound of bounds) values += bound.in?.length ?? 0;
  return values;
}

function keysOf(path: string, ways: KnownScope["ways"]): readonly string[] {
  const before = ways.get(path);
  if (before) return before;
  const [root, ...below] = path.split(".");
  const keys = root === "input" ? below : [];
  ways.set(path, keys);
  return keys;
}

/** Whether a call is within a bound. */
export function isWithin(
  { bound, keys, test }: CompiledBound,
  { input, principal }: ScopedCall,
  meter: Meter,
): boolean {
  if (keys.length === 0) return false;
  return everyArgument(input, keys, 0, (argument) => {
    meter.steps -= typeof argument === "string" ? scanSteps(argument.length) : 1;
    return meter.steps >= 0 && test(argument, principal, bound);
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
