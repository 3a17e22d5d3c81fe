import type { CallTripKind, LastTrip, Measure } from "./breaker.ts";
import type { CallEvent, Reach } from "./event.ts";
import { type ToolMemory, TRIP_MEMORY_MS, type Trip, WINDOW_MS } from "./memory.ts";

/** A call that is asked. */
export interface Asked {
  readonly session: string;
  readonly tool: string;
  /** Of its tool and input, shortened; asked for when there is anything to compare with. */
  readonly input: () => string;
  /** Which call it is an attempt of, shortened. */
  readonly call: string;
  /** Whether it is asked what would be: then the trips count that were only observed, and else the others. */
  readonly observed: boolean;
}

/** From where a measure is taken. */
export interface View {
  readonly memory: ToolMemory;
  readonly asked: Asked;
  readonly reach: Reach;
  readonly nowMs: number;
  /** What came at this time or before was set aside by an operator. */
  readonly resetMs: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/** Whether a call is one to whoever counts. */
const counts = ({ asked }: View, { passed }: CallEvent) => !(asked.observed && passed);

const within = ({ reach, asked }: View, { session }: { readonly session: string }) =>
  reach === "run" || session === asked.session;

/** The newest items after a time, the newest first, until one says stop. */
function backwards<Item extends { readonly atMs: number; readonly session: string }>(
  view: View,
  items: readonly Item[],
  afterMs: number,
  see: (item: Item) => "go on" | "stop",
): void {
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at];
    if (item === undefined || item.atMs <= afterMs) return;
    if (within(view, item) && see(item) === "stop") return;
  }
}

function some<Item extends { readonly atMs: number; readonly session: string }>(
  view: View,
  items: readonly Item[],
  afterMs: number,
  is: (item: Item) => boolean,
): boolean {
  let found = false;
  backwards(view, items, afterMs, (item) => {
    found = is(item);
    return found ? "stop" : "go on";
  });
  return found;
}

/** Whether anything went well since a trip, of what the breaker stands for. */
function cleared(view: View, { trip, atMs }: Trip, progressMs: number): boolean {
  const { calls, ends } = view.memory;
  switch (trip.kind) {
    case "failures":
      return some(view, ends, atMs, ({ outcome }) => outcome === "succeeded");
    case "denials":
      return some(view, calls, atMs, ({ said }) => said === "let");
    case "identical":
      if (progressMs > atMs) return true;
      return some(view, ends, atMs, (end) => {
        return end.outcome === "succeeded" && end.calledAtMs > atMs && end.input !== trip.of;
      });
    default:
      return some(view, ends, atMs, ({ outcome, calledAtMs }) => outcome === "succeeded" && calledAtMs >= trip.untilMs);
  }
}

/** The last trip of a kind that is remembered. `of` undefined: whatever it was of. */
function lastTrip(view: View, kind: CallTripKind, of: string | undefined): Trip | undefined {
  const { memory, asked, reach, nowMs, resetMs } = view;
  for (let at = memory.trips.length - 1; at >= 0; at--) {
    const one = memory.trips[at];
    if (!one || one.atMs <= resetMs) return undefined;
    const { trip } = one;
    if (trip.kind !== kind || trip.reach !== reach || trip.observed !== asked.observed) continue;
    if (!within(view, one)) continue;
    if (of !== undefined && trip.of !== of) continue;
    return nowMs - trip.untilMs > TRIP_MEMORY_MS ? undefined : one;
  }
  return undefined;
}

function lastOf(view: View, found: Trip | undefined, progressMs = 0): LastTrip | undefined {
  if (!found) return undefined;
  const { level, untilMs } = found.trip;
  return { atMs: found.atMs, level, untilMs, cleared: cleared(view, found, progressMs) };
}

const sinceOf = ({ nowMs, resetMs }: View, windowMs: number, found: Trip | undefined) =>
  Math.max(nowMs - windowMs, resetMs, found?.atMs ?? 0);

/** When the last call of this input was asked that answered something else than the one before it; 0 if none did. */
function progressOf(view: View, input: string): number {
  let later: { output: string; calledAtMs: number } | undefined;
  let progressMs = 0;
  backwards(view, view.memory.ends, view.nowMs - WINDOW_MS, ({ input: of, output, calledAtMs }) => {
    if (of !== input || output === "") return "go on";
    if (later && later.output !== output) {
      progressMs = later.calledAtMs;
      return "stop";
    }
    later = { output, calledAtMs };
    return "go on";
  });
  return progressMs;
}

export function identicalCalls(view: View): Measure {
  const input = view.asked.input();
  const progressMs = progressOf(view, input);
  const found = lastTrip(view, "identical", input);
  let count = 0;
  backwards(view, view.memory.calls, Math.max(sinceOf(view, WINDOW_MS, found), progressMs), (one) => {
    const isOther = one.input === input && one.call !== view.asked.call && counts(view, one);
    if (isOther && !view.memory.isAgain(one)) count++;
    return "go on";
  });
  const last = lastOf(view, found, progressMs);
  return { kind: "identical", reach: view.reach, of: input, count, freesAtMs: 0, last };
}

export function failures(view: View): Measure {
  const found = lastTrip(view, "failures", undefined);
  const decisions: string[] = [];
  backwards(view, view.memory.ends, sinceOf(view, WINDOW_MS, found), ({ outcome, decision }) => {
    if (outcome === "succeeded") return "stop";
    if (!decisions.includes(decision)) decisions.push(decision);
    return "go on";
  });
  const count = decisions.length;
  return { kind: "failures", reach: view.reach, of: "", count, freesAtMs: 0, last: lastOf(view, found) };
}

/** The denials at the end, all of one class. */
export function denials(view: View): Measure {
  const { memory } = view;
  const found = lastTrip(view, "denials", undefined);
  let of: string | undefined;
  let count = 0;
  backwards(view, memory.calls, sinceOf(view, WINDOW_MS, found), (one) => {
    const { said, denial, call } = one;
    if (!counts(view, one)) return "go on";
    if (said !== "denied") return "stop";
    if (denial === undefined) return "go on";
    of ??= denial;
    if (denial !== of) return "stop";
    // That one call was denied again and again is what its caller was told to try.
    if (call !== view.asked.call && !memory.isAgain(one)) count++;
    return "go on";
  });
  const last = lastOf(view, found);
  return { kind: "denials", reach: view.reach, of: of ?? found?.trip.of ?? "", count, freesAtMs: 0, last };
}

function rate(view: View, kind: "second" | "minute", windowMs: number, limit: number): Measure {
  const { memory } = view;
  let count = 0;
  let freesAtMs = 0;
  backwards(view, memory.calls, Math.max(view.nowMs - windowMs, view.resetMs), (one) => {
    const { call, atMs } = one;
    if (!counts(view, one)) return "go on";
    if (call !== view.asked.call && !memory.isAgain(one)) count++;
    freesAtMs = atMs + windowMs;
    return count < limit ? "go on" : "stop";
  });
  const last = lastOf(view, lastTrip(view, kind, undefined));
  return { kind, reach: view.reach, of: "", count, freesAtMs, last };
}

export const callsInASecond = (view: View, limit: number) => rate(view, "second", SECOND_MS, limit);
export const callsInAMinute = (view: View, limit: number) => rate(view, "minute", MINUTE_MS, limit);
