import { timeOfId } from "../foundation/ids.ts";
import {
  type BehaviourEvent,
  type CallEvent,
  DENIAL_CLASSES,
  type DenialClass,
  type EndEvent,
  type Reach,
  TRIP_KINDS,
  type TripEvent,
  type TripKind,
} from "./event.ts";

/**
 * How an event stands beside its record: a JSON array whose first item says its form. What it says stands in the entry
 * too, in words; this is for whoever folds thousands of them.
 *
 * `["c", tool, input, call, attempt, said, denial, [kind, reach, of, level, untilMs, observed] | 0, passed]`
 * `["e", tool, input, outcome, output]`
 */
export function trailOf(event: CallEvent | EndEvent): string {
  if (event.event === "end") {
    return JSON.stringify(["e", event.tool, event.input, event.outcome, event.output]);
  }
  const { tool, input, call, attempt, said, denial = "", trip, passed } = event;
  const tripped = trip ? [trip.kind, trip.reach, trip.of, trip.level, trip.untilMs, trip.observed] : 0;
  return JSON.stringify(["c", tool, input, call, attempt, said, denial, tripped, passed ? 1 : 0]);
}

/** What a record brings along besides its trail. */
export interface Tracked {
  readonly id: string;
  readonly session: string;
  /** Of a report: its decision. */
  readonly subject: string | null | undefined;
  readonly trail: string;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): value is number => Number.isSafeInteger(value);

function tripFrom(parts: unknown): TripEvent | undefined {
  if (!Array.isArray(parts)) return undefined;
  const [kind, reach, of, level, untilMs, observed] = parts as unknown[];
  if (!TRIP_KINDS.includes(kind as TripKind) || !isText(of) || !isCount(level) || !isCount(untilMs)) return undefined;
  return { kind: kind as TripKind, reach: reach as Reach, of, level, untilMs, observed: observed === true };
}

/** Reads what a record left; undefined for a form that this build does not know: a later one wrote it. */
export function eventFrom({ id, session, subject, trail }: Tracked): BehaviourEvent | undefined {
  const parts = JSON.parse(trail) as unknown[];
  const [form, tool, input] = parts;
  if (!isText(tool) || !isText(input)) return undefined;
  const seen = { id, session, tool, input, atMs: timeOfId(id) };
  if (form === "e" && subject) {
    const [, , , outcome, output] = parts;
    if ((outcome !== "succeeded" && outcome !== "failed") || !isText(output)) return undefined;
    return { event: "end", ...seen, decision: subject, outcome, output, calledAtMs: timeOfId(subject) };
  }
  if (form !== "c") return undefined;
  const [, , , call, attempt, said, denial, tripped, passed] = parts;
  if (!isText(call) || !isCount(attempt) || (said !== "let" && said !== "paused" && said !== "denied"))
    return undefined;
  const trip = tripFrom(tripped);
  const known = DENIAL_CLASSES.includes(denial as DenialClass);
  return {
    ...{ event: "call", ...seen, call, attempt, said },
    ...(known && { denial: denial as DenialClass }),
    ...(trip && { trip }),
    ...(passed === 1 && { passed: true }),
  };
}
