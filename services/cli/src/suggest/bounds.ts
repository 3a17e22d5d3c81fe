import type { JsonValue } from "@remit/engine";
import { lacks, list, literal, member, named } from "./cel-text.ts";
import { type Condition, conditionAt, type Place } from "./condition.ts";
import { type Kind, kindsOf, type Sample } from "./sample.ts";
import { textBounds } from "./text-bound.ts";
import { boolBound, nullBound, numberBound, type ValueBound } from "./value-bound.ts";

/** What is asked of one argument. */
export interface Bound {
  /** Conditions that should hold for everything that was seen, the tightest first; none where nothing is known. */
  readonly candidates: readonly Condition[];
  /** What passes when none of them is asked. */
  readonly unbounded: string;
}

type Lists = NonNullable<Sample["lists"]>;
type Maps = NonNullable<Sample["maps"]>;

/** Conditions may go over the elements of lists inside one another so many times. */
const MACROS_MAX = 2;
/** A map with more keys than these is a dictionary: its keys are data. A tool's arguments themselves never are. */
const MEMBERS_MAX = 40;
const dictionary = ({ keys, macros }: Place, { members }: Maps) =>
  members.size > MEMBERS_MAX && (keys.length > 0 || macros > 0);

const types: Readonly<Record<Exclude<Kind, "null">, string>> = {
  ...{ bool: "bool", number: "double", string: "string", list: "list", map: "map" },
};

const typed = (expression: string, kind: Kind) =>
  kind === "null" ? `${expression} == null` : `type(${expression}) == ${types[kind]}`;

const unboundedAt = ({ argument }: Place) => `${argument === "" ? "the input" : argument}: any value`;

function boundAt(place: Place, bounds: readonly ValueBound[]): Bound {
  return { candidates: bounds.map((bound) => conditionAt(place, bound)), unbounded: unboundedAt(place) };
}

/** The elements of a list: the first candidate of each of their bounds. */
function elements(place: Place, items: Sample): Condition[] {
  const name = place.macros === 0 ? "item" : "part";
  const inner: Place = {
    ...{ expression: name, argument: "", keys: [], exempt: [], macros: place.macros + 1 },
    hidden: (keys) => place.hidden([...place.keys, ...keys]),
  };
  return boundsAt(inner, items).flatMap(({ candidates }) => candidates[0] ?? []);
}

/** The list with its first element changed in one respect. */
function withFirst(seen: JsonValue, each: Condition): JsonValue[] {
  if (!Array.isArray(seen) || seen.length === 0) return [];
  const [first, ...rest] = seen as JsonValue[];
  return each.breaks(first ?? null).map((changed) => [changed, ...rest]);
}

/** A list: its length, and what its elements are. */
function listBounds(place: Place, { sizeMax, items }: Lists): ValueBound[] {
  const { expression, macros } = place;
  const size = sizeMax === 0 ? `size(${expression}) == 0` : `size(${expression}) <= ${sizeMax}`;
  const stops = sizeMax === 0 ? "that is not empty" : `of more than ${sizeMax}`;
  const longer = (seen: JsonValue): JsonValue[] => {
    const held = Array.isArray(seen) ? (seen as JsonValue[]) : [];
    return [Array.from({ length: sizeMax + 1 }, (_, at) => held[at % Math.max(1, held.length)] ?? 0)];
  };
  const bare: ValueBound = {
    ...{ text: `type(${expression}) == list && ${size}`, stops, refused: longer },
    wider: sizeMax === 0 ? undefined : `any elements, up to ${sizeMax}`,
  };
  if (sizeMax === 0 || macros >= MACROS_MAX) return [bare];
  const each = elements(place, items);
  if (each.length === 0) return [bare];
  const texts = each.map(({ text }) => (each.length > 1 && text.includes(" || ") ? `(${text})` : text));
  const name = macros === 0 ? "item" : "part";
  const full: ValueBound = {
    text: `${size} && ${expression}.all(${name}, ${texts.join(" && ")})`,
    stops: `${stops}, or with one ${each.map((one) => one.stops).join(", or ")}`,
    wider: [`up to ${sizeMax}`, ...each.flatMap(({ wider }) => wider ?? [])].join("; in each, "),
    refused: (seen) => [...longer(seen), ...each.flatMap((one) => withFirst(seen, one).slice(0, 1))],
  };
  return [full, bare];
}

/** A map's keys: those that were seen. */
function keysBound(place: Place, maps: Maps): ValueBound | undefined {
  const { expression, macros } = place;
  const { members } = maps;
  const keys = [...members.keys()];
  const unseen = (n = 0): string => (keys.includes(`not_seen_${n}`) ? unseen(n + 1) : `not_seen_${n}`);
  const refused = (seen: JsonValue) => [{ ...(seen as Record<string, JsonValue>), [unseen()]: 0 }];
  if (keys.length === 0) {
    return { text: `size(${expression}) == 0`, stops: "with any argument", wider: undefined, refused };
  }
  if (dictionary(place, maps) || macros >= MACROS_MAX) return undefined;
  const name = macros === 0 ? "key" : "name";
  const stops = `with anything but ${keys.map(literal).join(", ")}`;
  return { text: `${expression}.all(${name}, ${name} in ${list(keys)})`, stops, wider: undefined, refused };
}

function mapBounds(place: Place, maps: Maps): Bound[] {
  const { expression, argument, keys: path, exempt } = place;
  const text = `type(${expression}) == map`;
  const open: ValueBound = { text, stops: "that is no map", wider: "any keys and values", refused: () => [0] };
  const closed = keysBound(place, maps);
  // The whole input is a map whatever is asked of it.
  const whole = path.length === 0 && place.macros === 0 ? [] : [open];
  const own = boundAt(place, closed ? [closed, ...whole] : whole);
  if (dictionary(place, maps)) return [own];
  const below = [...maps.members].flatMap(([key, sample]) =>
    boundsAt(
      {
        ...place,
        expression: member(expression, key),
        argument: argument === "" ? named(key) : `${argument}.${named(key)}`,
        keys: [...path, key],
        exempt: sample.count === maps.count ? exempt : [...exempt, lacks(expression, key)],
      },
      sample,
    ),
  );
  return [own, ...below];
}

/** The bounds of what stands at a place and below it. */
function boundsAt(place: Place, sample: Sample): Bound[] {
  const { expression, exempt, keys } = place;
  const kinds = kindsOf(sample);
  if (sample.deep || (keys.length > 0 && place.hidden(keys))) return [boundAt(place, [])];
  const [kind, ...others] = kinds.filter((one) => one !== "null");
  if (kind === undefined) return kinds.length === 0 ? [] : [boundAt(place, [nullBound(expression)])];
  if (others.length > 0) {
    const text = kinds.map((one) => typed(expression, one)).join(" || ");
    return [
      boundAt(place, [{ text, stops: "of another type", wider: `any ${kinds.join(" or ")}`, refused: () => [] }]),
    ];
  }
  const at = kinds.includes("null") ? { ...place, exempt: [...exempt, `${expression} == null`] } : place;
  if (sample.maps) return mapBounds(at, sample.maps);
  if (sample.lists) return [boundAt(at, listBounds(at, sample.lists))];
  if (sample.numbers) return [boundAt(at, [numberBound(expression, sample.numbers)])];
  if (sample.booleans.size > 0) return [boundAt(at, [boolBound(expression, sample.booleans)])];
  return [boundAt(at, textBounds(expression, sample.strings, !sample.foreign))];
}

/** Everything that is asked of a tool's inputs. `hidden`: whether the values of a path were not kept. */
export function boundsOf(inputs: Sample, hidden: Place["hidden"]): Bound[] {
  return boundsAt({ expression: "input", argument: "", keys: [], exempt: [], macros: 0, hidden }, inputs);
}
