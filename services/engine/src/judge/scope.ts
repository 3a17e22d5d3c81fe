import { evaluationStepsMax, type Meter } from "../cel/frame.ts";
import type { Steps } from "../compile/steps.ts";
import { parseTimestampNs } from "../instant.ts";
import { type JsonValue, ownValue } from "../json.ts";
import { allowedBy, type Bound, limitOf } from "./limit.ts";
import {
  isWithin,
  knownScope,
  permitsAll,
  type ScopesJudged,
  type ScopesRead,
  type ToolScope,
  toolScope,
} from "./tool-scope.ts";

/** What bounds take of an evaluation between two parts. */
const STEPS_AT_ONCE = 200;
/** Costs in units of ten microseconds. */
const SCOPE_COST = 0.03;
const STEP_COST = 0.015;

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
  /** Of what an entry keeps of a long one, which says the same of the call's tool, and nothing of others: of what. */
  readonly partOf?: WholeScope;
}

/** A scope that is known by what it says of one tool. */
export interface WholeScope {
  /** `sha256:<hex>` */
  readonly digest: string;
  /** How many it has: looking at it takes as many steps. */
  readonly tools: number;
  readonly bounds: number;
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

/**
 * What the call exceeds of the scopes, or undefined if every one of them permits it. No scope at all permits
 * nothing. A bound whose argument is missing or of another type is exceeded. Takes steps from the call's evaluation; a
 * call whose scopes take all there are exceeds them. `read`: what they say of the tool, where that was read before.
 */
export function exceededScope(
  scopes: readonly Scope[],
  call: ScopedCall,
  meter: Meter,
  read?: ScopesRead,
): Excess | undefined {
  if (scopes.length === 0) return { message: "the session has no scope", detail: "the session has no scope" };
  if (read?.judged && meter.steps === evaluationStepsMax && isOf(read.judged, scopes, call)) {
    meter.steps = read.judged.stepsLeft;
    return read.judged.excess;
  }
  const known = read?.tool === call.tool ? read.of : undefined;
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    const ofTool = known?.get(scope) ?? toolScope(scope, call.tool);
    const exceeded = excessOf(scope, ofTool, call, meter) ?? excessOfBounds(scope, ofTool, call, meter);
    if (exceeded !== undefined) return exceeded;
    if (meter.steps < 0) return tooLong();
  }
  return undefined;
}

/**
 * The same before the rules are asked, part by part, by scopes that were read before: they may have more bounds that name
 * the tool than are judged in one piece. Yields what each part cost, in units of ten microseconds.
 */
export function* judgeScopes(scopes: readonly Scope[], call: ScopedCall, read: ScopesRead): Steps<ScopesRead> {
  const meter = { steps: evaluationStepsMax };
  const excess = yield* excessInSteps(scopes, call, meter, read);
  return { ...read, judged: { scopes, call, excess, stepsLeft: meter.steps } };
}

function* excessInSteps(
  scopes: readonly Scope[],
  call: ScopedCall,
  meter: Meter,
  read: ScopesRead,
): Steps<Excess | undefined> {
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    const ofTool = read.of.get(scope) ?? toolScope(scope, call.tool);
    const exceeded = excessOf(scope, ofTool, call, meter);
    if (exceeded !== undefined) return exceeded;
    let before = meter.steps;
    for (const compiled of ofTool.bounds) {
      if (!isWithin(compiled, call, meter)) return excessOfBound(scope, compiled.bound);
      if (before - meter.steps < STEPS_AT_ONCE) continue;
      yield (before - meter.steps) * STEP_COST;
      before = meter.steps;
    }
    if (meter.steps < 0) return tooLong();
    yield SCOPE_COST + (before - meter.steps) * STEP_COST;
  }
  return undefined;
}

/** Whether this is all that was looked at: by the same scopes in the same order, of a call that they cannot tell apart. */
function isOf(judged: ScopesJudged, scopes: readonly Scope[], call: ScopedCall): boolean {
  const { tool, toolLabels, input, principal, now } = judged.call;
  if (input !== call.input || tool !== call.tool || principal !== call.principal || now !== call.now) return false;
  if (judged.scopes.length !== scopes.length || !judged.scopes.every((scope, at) => scope === scopes[at])) return false;
  const [some, others] = [Object.entries(toolLabels), Object.entries(call.toolLabels)];
  return some.length === others.length && some.every(([key, value]) => ownValue(call.toolLabels, key) === value);
}

function tooLong(): Excess {
  const message = "the scopes that bind the session take too long to check";
  return { message, detail: `${message} (at most ${evaluationStepsMax} steps)` };
}

/** What stands in the call's way whatever its arguments are. */
function excessOf(scope: Scope, { glob }: ToolScope, call: ScopedCall, meter: Meter): Excess | undefined {
  const { labels, expiresNs, steps } = knownScope(scope);
  meter.steps -= steps;
  if (glob === undefined) {
    return excess(scope, `the tool ${call.tool} is outside the scope`, scope.tools.join(", "));
  }
  if (expiresNs !== undefined && (parseTimestampNs(call.now) ?? expiresNs) >= expiresNs) {
    return excess(scope, "the scope has expired", `at ${scope.expiresAt}`);
  }
  const label = labels.find(([key, value]) => ownValue(call.toolLabels, key) !== value);
  return label && excess(scope, `the tool does not carry the label ${label[0]}`, `${label[0]}=${label[1]}`);
}

function excessOfBounds(scope: Scope, { bounds }: ToolScope, call: ScopedCall, meter: Meter): Excess | undefined {
  const exceeded = bounds.find((compiled) => !isWithin(compiled, call, meter));
  return exceeded && excessOfBound(scope, exceeded.bound);
}

function excessOfBound(scope: Scope, bound: Bound): Excess {
  return excess(scope, `${bound.path} exceeds its bound ${limitOf(bound) ?? ""}`, allowedBy(bound));
}

function excess({ disclose }: Scope, message: string, limit: string): Excess {
  return { message, detail: `${message} (${limit})`, ...(disclose && { remedy: limit }) };
}
