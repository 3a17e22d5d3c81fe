import { evaluationStepsMax, type Meter } from "../cel/frame.ts";
import { parseTimestampNs } from "../instant.ts";
import { type JsonValue, ownValue } from "../json.ts";
import { allowedBy, type Bound, limitOf } from "./limit.ts";
import { knownScope, permitsAll, type ScopesRead, type ToolScope, toolScope } from "./tool-scope.ts";

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
  const known = read?.tool === call.tool ? read.of : undefined;
  for (const scope of scopes) {
    if (permitsAll(scope)) continue;
    const exceeded = excessOf(scope, known?.get(scope) ?? toolScope(scope, call.tool), call, meter);
    if (exceeded !== undefined) return exceeded;
    if (meter.steps < 0) {
      const message = "the scopes that bind the session take too long to check";
      return { message, detail: `${message} (at most ${evaluationStepsMax} steps)` };
    }
  }
  return undefined;
}

function excessOf(scope: Scope, ofTool: ToolScope, call: ScopedCall, meter: Meter): Excess | undefined {
  const { labels, expiresNs, steps } = knownScope(scope);
  meter.steps -= steps;
  if (!ofTool.permitsTool) {
    return excess(scope, `the tool ${call.tool} is outside the scope`, scope.tools.join(", "));
  }
  if (expiresNs !== undefined && (parseTimestampNs(call.now) ?? expiresNs) >= expiresNs) {
    return excess(scope, "the scope has expired", `at ${scope.expiresAt}`);
  }
  const label = labels.find(([key, value]) => ownValue(call.toolLabels, key) !== value);
  if (label) {
    return excess(scope, `the tool does not carry the label ${label[0]}`, `${label[0]}=${label[1]}`);
  }
  const exceeded = ofTool.bounds.find(({ test }) => !test(call, meter))?.bound;
  return (
    exceeded && excess(scope, `${exceeded.path} exceeds its bound ${limitOf(exceeded) ?? ""}`, allowedBy(exceeded))
  );
}

function excess({ disclose }: Scope, message: string, limit: string): Excess {
  return { message, detail: `${message} (${limit})`, ...(disclose && { remedy: limit }) };
}
