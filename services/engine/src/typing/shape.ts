import { shortKey } from "../digest.ts";
import type { JsonValue } from "../json.ts";

/** The types of JSON values that conditions tell apart, a bit each. A number is an int only where a schema says so. */
export const jsonTypes = { null: 1, bool: 2, int: 4, double: 8, string: 16, list: 32, map: 64 } as const;

/** A set of {@link jsonTypes}. */
export type TypeSet = number;

export const everyType: TypeSet = 1 + 2 + 8 + 16 + 32 + 64;
const numberTypes = jsonTypes.int | jsonTypes.double;

/** What schemas say of the values that may stand at one place of a call. Everything in it is worked out when asked for. */
export interface Shape {
  /** Never empty. Int and double together: it depends on the tool. */
  readonly types: TypeSet;
  /** What may stand under a key; undefined if nothing may. */
  readonly property: (name: string) => Shape | undefined;
  /** What each item of a list may be; undefined if the list must be empty. */
  readonly item: () => Shape | undefined;
  /** Keys that are spoken of by name. */
  readonly names: () => readonly string[];
  /** Every value there may be, where they are listed. */
  readonly values: readonly JsonValue[] | undefined;
  /** Whether an int may stand here or below. */
  readonly ints: boolean;
  /** Most characters of a text, items of a list and keys of a map; undefined where nothing bounds them. */
  readonly most: Readonly<Record<"chars" | "items" | "keys", number | undefined>>;
  /** Of how many others it is put together, side by side: each is asked where it is. */
  readonly width: number;
}

const unbounded = { chars: undefined, items: undefined, keys: undefined };

/** What may stand where no schema says anything. */
export const anything: Shape = {
  types: everyType,
  property: () => anything,
  item: () => anything,
  names: () => [],
  values: undefined,
  ints: false,
  most: unbounded,
  width: 1,
};

/** What may stand where only the called tool knows: anything, with numbers as its schema has them. */
export const unsure: Shape = {
  ...anything,
  types: everyType | jsonTypes.int,
  property: () => unsure,
  item: () => unsure,
  ints: true,
};

/** Remembers what a function of a name answered. */
export function byName(find: (name: string) => Shape | undefined): Shape["property"] {
  const known = new Map<string, Shape | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const found = find(name);
    known.set(name, found);
    return found;
  };
}

export function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: compute() };
    return known.value;
  };
}

/** What fits both shapes; undefined if nothing does. */
export function meet(one: Shape, other: Shape): Shape | undefined {
  if (one === anything || one === other) return other;
  if (other === anything) return one;
  const types = (one.types & other.types & ~numberTypes) | meetNumbers(one.types, other.types);
  const values = one.values && other.values ? common(one.values, other.values) : (one.values ?? other.values);
  if (types === 0 || values?.length === 0) return undefined;
  const property = byName((name) => {
    const [left, right] = [one.property(name), other.property(name)];
    return left && right && meet(left, right);
  });
  return {
    types,
    values,
    property,
    item: once(() => {
      const [left, right] = [one.item(), other.item()];
      return left && right && meet(left, right);
    }),
    names: once(() => [...new Set([...one.names(), ...other.names()])].filter((name) => property(name))),
    ints: one.ints || other.ints,
    most: {
      chars: least(one.most.chars, other.most.chars),
      items: least(one.most.items, other.most.items),
      keys: least(one.most.keys, other.most.keys),
    },
    width: one.width + other.width,
  };
}

/** What is listed on both sides: texts, numbers, bools and null, which a set tells apart as they are. */
function common(some: readonly JsonValue[], others: readonly JsonValue[]): readonly JsonValue[] {
  const there = new Set(others);
  return some.filter((value) => there.has(value));
}

/** A number is an int if either side says so, and none if either side permits none. */
function meetNumbers(one: TypeSet, other: TypeSet): TypeSet {
  if ((one & numberTypes) === 0 || (other & numberTypes) === 0) return 0;
  return ((one | other) & jsonTypes.int) === 0 ? jsonTypes.double : jsonTypes.int;
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** Enough to find the one that was meant among. */
const namesMax = 2_000;

function someNames(parts: readonly Shape[]): string[] {
  const names = new Set<string>();
  for (const part of parts) {
    if (names.size > namesMax) break;
    for (const name of part.names()) names.add(name);
  }
  return [...names];
}

/**
 * What fits at least one of the shapes; undefined if there is none. `apart` keeps int and double both where they
 * disagree; otherwise a number that need not be an int is a double.
 */
export function union(shapes: readonly (Shape | undefined)[], { apart }: { apart: boolean }): Shape | undefined {
  const parts = [...new Set(shapes.filter((shape) => shape !== undefined))];
  const [first] = parts;
  if (!first || parts.length === 1) return first;
  const all = parts.reduce((types, part) => types | part.types, 0);
  const types = !apart && all & jsonTypes.double ? all & ~jsonTypes.int : all;
  const property = byName((name) =>
    union(
      parts.map((part) => part.property(name)),
      { apart },
    ),
  );
  const values = parts.map((part) => part.values);
  const most = (key: keyof Shape["most"], type: TypeSet) => {
    const bounds = parts.filter((part) => part.types & type).map((part) => part.most[key]);
    return bounds.length > 0 && bounds.every((bound) => bound !== undefined) ? Math.max(...bounds) : undefined;
  };
  return {
    types,
    property,
    item: once(() =>
      union(
        parts.map((part) => part.item()),
        { apart },
      ),
    ),
    names: once(() => someNames(parts)),
    values: values.every((listed) => listed !== undefined) ? [...new Set(values.flat())] : undefined,
    ints: parts.some((part) => part.ints),
    most: {
      chars: most("chars", jsonTypes.string),
      items: most("items", jsonTypes.list),
      keys: most("keys", jsonTypes.map),
    },
    width: parts.reduce((sum, part) => sum + part.width, 0),
  };
}

/** Everything that compiling a condition may ask of a shape by itself, as text: equal for shapes that compile alike. */
export function summaryOf(shape: Shape): string {
  let summary = summaries.get(shape);
  if (summary === undefined) {
    const { types, ints, values, most } = shape;
    summary = shortKey(JSON.stringify([types, ints, values, most.chars, most.items, most.keys]));
    summaries.set(shape, summary);
  }
  return summary;
}

const summaries = new WeakMap<Shape, string>();
