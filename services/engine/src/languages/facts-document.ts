import { fieldsOf, openRoot, rootNames } from "../cel/fact-paths.ts";
import type { Frame, Meter } from "../cel/frame.ts";
import { durationText, timestampText } from "../cel/times.ts";
import { Duration, Failure, isOpaque, type Outcome, Timestamp } from "../cel/value.ts";
import type { JsonObject, JsonValue } from "../json.ts";

/**
 * The facts that conditions read, as one JSON object of the same names: `input`, `context`, `answers`, `call`, `tool`,
 * `agent`, `principal`, `session`, `caller`, `now`. Ints are numbers, durations and timestamps texts as CEL writes them
 * (`session.ageSeconds` is the age as a number). A fact that nobody knows is absent.
 */
export function factsDocument(frame: Frame): JsonObject {
  const document: Record<string, JsonValue> = {};
  for (const root of rootNames) {
    const open = openRoot(root);
    const fields = fieldsOf(root);
    if (open) set(document, root, open(frame));
    else if (fields) {
      const group: Record<string, JsonValue> = {};
      for (const [name, field] of Object.entries(fields)) set(group, name, field.read(frame));
      document[root] = group;
    }
  }
  document.now = frame.facts.now;
  document.session = { ...(document.session as JsonObject), ageSeconds: frame.facts.session.ageSeconds };
  return document;
}

function set(group: Record<string, JsonValue>, name: string, outcome: Outcome | undefined): void {
  const value = plain(outcome);
  if (value !== undefined) group[name] = value;
}

function plain(outcome: Outcome | undefined): JsonValue | undefined {
  if (outcome === undefined || outcome instanceof Failure) return undefined;
  if (typeof outcome === "bigint") return Number(outcome);
  if (outcome instanceof Duration) return durationText(outcome);
  if (outcome instanceof Timestamp) return timestampText(outcome);
  return isOpaque(outcome) ? undefined : (outcome as JsonValue);
}

/** Converts the facts of a frame once an evaluation and pass, for however many policies of the language. */
export function oncePerPass<T extends object>(convert: (frame: Frame) => T): (frame: Frame) => T {
  // The meter is what the frames of one evaluation share, and they are few.
  const made = new WeakMap<Meter, { readonly frame: Frame; readonly value: T }[]>();
  return (frame) => {
    const before = made.get(frame.meter) ?? [];
    const same = before.find(({ frame: { input, answers } }) => input === frame.input && answers === frame.answers);
    if (same) return same.value;
    const value = convert(frame);
    made.set(frame.meter, [...before, { frame, value }]);
    return value;
  };
}
