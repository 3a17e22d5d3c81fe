import { type CallLimits, type CallTripKind, isRate, limitOf, type Measure, type Stop, stopOf } from "./breaker.ts";
import type { Reach, TripKind } from "./event.ts";
import { type Asked, callsInAMinute, callsInASecond, denials, failures, identicalCalls, type View } from "./measure.ts";
import type { RunMemory } from "./memory.ts";

/** A call that breakers stop: which, by what it saw, and until when. */
export interface Stopped extends Stop {
  readonly measure: Measure;
  readonly limit: number;
}

/** In order: what says more of the call comes first. */
const KINDS: readonly [CallTripKind, (view: View, limit: number) => Measure][] = [
  ["identical", identicalCalls],
  ["failures", failures],
  ["denials", denials],
  ["second", callsInASecond],
  ["minute", callsInAMinute],
];

/** Whether what is asked may be stopped by a kind, without counting. */
function judgeReach(view: View, limits: CallLimits): Stopped | undefined {
  let longest: Stopped | undefined;
  let first: Stopped | undefined;
  for (const [kind, measureOf] of KINDS) {
    const limit = limitOf(limits, kind, view.reach);
    if (limit === Number.POSITIVE_INFINITY) continue;
    const measure = measureOf(view, limit);
    const stop = stopOf(measure, limit, view.nowMs);
    if (!stop) continue;
    const stopped = { ...stop, measure, limit };
    if (stop.opened) first ??= stopped;
    else if (!longest || stop.untilMs > longest.untilMs) longest = stopped;
  }
  return longest ?? first;
}

/**
 * What breakers say to a call that is asked: undefined when it may go on. What is open already comes before what this
 * call would open, and a session's own breakers before those of all sessions of its run.
 */
export function judgeCall(
  memory: Pick<RunMemory, "of" | "several">,
  limits: CallLimits,
  asked: Asked,
  at: { readonly nowMs: number; readonly resetMs: number },
): Stopped | undefined {
  const known = memory.of(asked.tool);
  if (!known) return undefined;
  const view = (reach: Reach): View => ({ memory: known, asked, reach, ...at });
  return judgeReach(view("session"), limits) ?? (memory.several ? judgeReach(view("run"), limits) : undefined);
}

/** The code that a call is denied with. */
export function codeOf(kind: TripKind): "loop_detected" | "rate_limited" {
  return isRate(kind) ? "rate_limited" : "loop_detected";
}
