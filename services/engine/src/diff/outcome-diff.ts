import type { Compiled } from "../compile/compile.ts";
import { type Effect, effects } from "../documents/policy.ts";
import { type JsonValue, sameJson } from "../json.ts";
import { estimateFor } from "../judge/charges.ts";
import { evaluate } from "../judge/evaluate.ts";
import type { Facts } from "../judge/facts.ts";
import type { Verdict } from "../judge/verdict.ts";

/** A call that both sides are asked about. */
export interface ComparedCall {
  /** What messages call it. */
  readonly name: string;
  readonly before: Facts;
  /** The facts on the new side, where documents change them too: an agent's labels and ceiling. */
  readonly after: Facts;
}

export interface ComparedOutcome {
  readonly effect: Effect;
  readonly code: string;
  /** `policy/rule`, in order of name. */
  readonly rules: readonly string[];
}

/** Whether more may run than before, less, or as much in another way. */
export type Direction = "wider" | "narrower" | "otherwise";

export interface OutcomeChange {
  readonly name: string;
  readonly tool: string;
  readonly direction: Direction;
  readonly from: ComparedOutcome;
  readonly to: ComparedOutcome;
  /** What else is otherwise: `approval`, `constraints`, `questions`, `transformedInput`, `would`. */
  readonly also: readonly string[];
}

export interface OutcomesDiff {
  readonly compared: number;
  readonly wider: number;
  readonly narrower: number;
  readonly otherwise: number;
  /** At most 1,000 of each direction, in order of the calls. */
  readonly changes: readonly OutcomeChange[];
}

const changesMax = 1000;

/** One side: what its policies and tools compile to. */
export type Side = Compiled;

/**
 * Asks both sides about calls, as if everything were enforced. Wider is an effect that lets more run: escalate instead
 * of deny as well as allow instead of escalate.
 */
export function diffOutcomes(from: Side, to: Side, calls: Iterable<ComparedCall>): OutcomesDiff {
  const counts = { wider: 0, narrower: 0, otherwise: 0 };
  const changes: OutcomeChange[] = [];
  let compared = 0;
  for (const call of calls) {
    compared++;
    const change = changeOf(call, judged(from, call.before), judged(to, call.after));
    if (!change) continue;
    if (++counts[change.direction] <= changesMax) changes.push(change);
  }
  return { compared, ...counts, changes };
}

function judged(side: Side, facts: Facts): Verdict {
  const { call } = facts;
  const estimate = estimateFor(side, call.tool, facts.input, call.estimate);
  return evaluate(side, { ...facts, call: { ...call, estimate }, mode: "enforce" });
}

function changeOf({ name, before }: ComparedCall, from: Verdict, to: Verdict): OutcomeChange | undefined {
  const [old, now] = [outcomeOf(from), outcomeOf(to)];
  // Of another effect it goes without saying that its parameters are others.
  const parts = otherParts.filter((part) => from.effect === to.effect || part === "constraints" || part === "would");
  const also = parts.filter((part) => !sameJson(partOf(from, part), partOf(to, part)));
  if (also.length === 0 && sameJson(asJson(old), asJson(now))) return undefined;
  const gained = effects.indexOf(to.effect) - effects.indexOf(from.effect);
  const direction = gained > 0 ? "wider" : gained < 0 ? "narrower" : "otherwise";
  return { name, tool: before.call.tool, direction, from: old, to: now, also };
}

function outcomeOf({ effect, code, rules }: Verdict): ComparedOutcome {
  return { effect, code, rules: rules.map(({ policy, rule }) => `${policy}/${rule}`).sort() };
}

const otherParts = ["approval", "constraints", "questions", "transformedInput", "would"] as const;

function partOf(verdict: Verdict, part: (typeof otherParts)[number]): JsonValue {
  if (part === "would") return verdict.would ? verdict.would.effect : null;
  const value = verdict[part];
  // Versions and summaries do not say what is asked of anybody.
  if (part === "approval") {
    return asJson(
      verdict.approval?.requirements.map(({ rule: { policy, rule }, ...rest }) => ({ ...rest, policy, rule })),
    );
  }
  return asJson(value);
}

function asJson(value: unknown): JsonValue {
  return value === undefined ? null : (value as JsonValue);
}
