import { budgetFact, budgetFieldNames } from "../cel/amount-facts.ts";
import { decimalOf } from "../cel/amounts.ts";
import { fieldsOf, openRoot, rootNames } from "../cel/fact-paths.ts";
import type { Frame, Meter } from "../cel/frame.ts";
import { durationText, timestampText } from "../cel/times.ts";
import { Duration, Failure, isOpaque, LiteralMap, type Outcome, Quantity, Timestamp } from "../cel/value.ts";
import { type JsonObject, type JsonValue, setOwn } from "../json.ts";
import type { Facts } from "../judge/facts.ts";

/**
 * The facts that conditions read, as one JSON object of the same names: `input`, `context`, `answers`, `call`, `tool`,
 * `agent`, `principal`, `session`, `caller`, `now`. Ints are numbers, durations and timestamps texts as CEL writes them
 * (`session.ageSeconds` is the age as a number). Amounts are decimals as text, in `call.estimate` by unit, in `budget` by
 * name, with the budget's unit beside them. A fact that nobody knows is absent.
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
  const { budget } = frame.facts;
  if (budget) document.budget = budgetsDocument(budget, frame);
  document.now = frame.facts.now;
  document.session = { ...(document.session as JsonObject), ageSeconds: frame.facts.session.ageSeconds };
  return document;
}

function budgetsDocument(budgets: NonNullable<Facts["budget"]>, frame: Frame): JsonObject {
  const document: Record<string, JsonValue> = {};
  for (const name of Object.keys(budgets)) {
    const group: Record<string, JsonValue> = { unit: budgets[name]?.unit ?? "" };
    for (const field of budgetFieldNames) set(group, field, budgetFact(name, field)(frame));
    setOwn(document, name, group);
  }
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
  if (outcome instanceof Quantity) return decimalOf(outcome);
  if (outcome instanceof LiteralMap) return mapOf(outcome);
  return isOpaque(outcome) ? undefined : (outcome as JsonValue);
}

function mapOf({ entries }: LiteralMap): JsonObject {
  const map: Record<string, JsonValue> = {};
  for (const [key, value] of entries) set(map, String(key), value);
  return map;
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
