import { codeOf, type DenialClass, type Stopped } from "../behaviour/index.ts";
import { rfc3339 } from "../foundation/clock.ts";
import type { Stopping } from "./breakers.ts";
import type { DecisionCode } from "./codes.ts";
import { type Finding, refusal } from "./finding.ts";

/** Denials that breakers count, and with which others together. What is not here is no sign of a loop. */
export const DENIAL_CLASS: Readonly<Partial<Record<DecisionCode, DenialClass>>> = {
  no_rule_matched: "policy",
  rule_denied: "policy",
  evaluation_error: "policy",
  transform_conflict: "policy",
  transform_invalid: "policy",
  constraint_unsupported: "call",
  tool_unknown: "call",
  tool_suspended: "call",
  tool_schema_changed: "call",
  input_invalid: "call",
  scope_exceeded: "scope",
  budget_exhausted: "budget",
  budget_frozen: "budget",
  estimate_missing: "budget",
  no_budget: "budget",
  approval_expired: "approval",
};

/** What an entry says of a breaker that stopped its call: with the limit, all that the answer was made from. */
export interface BreakerNote {
  readonly kind: string;
  /** Whose calls were counted. */
  readonly reach: string;
  readonly of?: string;
  readonly count: string;
  readonly limit: string;
  /** Of a rate: when there is room again. */
  readonly frees_at?: string;
  /** The trip before it. */
  readonly last?: {
    readonly at: string;
    readonly level: number;
    readonly until: string;
    readonly cleared: boolean;
  };
  /** Whether this call opened it. */
  readonly opened: boolean;
  readonly level: number;
  readonly until: string;
  readonly observed?: true;
  /** Of spending: what the limit was made from. Count and limit are amounts then, all of them decimals. */
  readonly spending?: {
    /** The account's number. */
    readonly account: string;
    readonly unit: string;
    /** What the call would have held. */
    readonly needed: string;
    readonly median: string;
    readonly mad: string;
    /** How many windows were looked back on. */
    readonly windows: number;
    readonly deviations: number;
    readonly windows_min: number;
    readonly floor: string;
    /** What was spent in each of them, the newest first. */
    readonly history: readonly string[];
  };
}

export function noteOf({ stopped, observed }: Stopping): BreakerNote {
  const { measure, limit, opened, level, untilMs } = stopped;
  const { kind, reach, of, count, freesAtMs, last } = measure;
  return {
    ...{ kind, reach, ...(of !== "" && { of }), count: `${count}`, limit: `${limit}` },
    ...(freesAtMs > 0 && { frees_at: rfc3339(freesAtMs) }),
    ...(last && {
      last: { at: rfc3339(last.atMs), level: last.level, until: rfc3339(last.untilMs), cleared: last.cleared },
    }),
    ...{ opened, level, until: rfc3339(untilMs), ...(observed && { observed }) },
  };
}

const DENIED: Readonly<Record<string, string>> = {
  policy: "by the policies",
  call: "because of what they are",
  scope: "by the scope",
  budget: "by a budget",
  approval: "because nobody agreed",
};

function why(tool: string, { measure: { kind, reach, of, count }, limit }: Stopped): string {
  const who = reach === "run" ? "All agents of this run together" : "This agent";
  switch (kind) {
    case "identical":
      return `${who} asked for this very call of ${tool} ${count} times within ten minutes, and it brought nothing new.`;
    case "failures":
      return `The last ${count} calls of ${tool} failed, one after the other.`;
    case "denials":
      return `The last ${count} calls of ${tool} were denied ${DENIED[of] ?? ""}, one after the other.`;
    case "second":
      return `${who} may call ${tool} ${limit} times a second.`;
    case "minute":
      return `${who} may call ${tool} ${limit} times a minute.`;
  }
}

/** The denial of a call that breakers stop. */
export function stoppedFinding(tool: string, { stopped, retryAfterMs }: Stopping): Finding {
  const code = codeOf(stopped.measure.kind);
  const seconds = Math.ceil(retryAfterMs / 1000);
  const what = stopped.opened
    ? why(tool, stopped)
    : `Calls of ${tool} are stopped for now: ${code === "rate_limited" ? "there were too many" : "they went in a loop"}.`;
  const todo = code === "rate_limited" ? "Go on" : "Do something else, or go on";
  return {
    ...refusal(code, `${what} ${todo} in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`),
    ...{ retryable: true, retryAfterMs },
  };
}
