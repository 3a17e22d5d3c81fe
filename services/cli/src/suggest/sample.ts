import type { JsonObject, JsonValue } from "@remit/engine";
import type { SeenCall } from "./seen-call.ts";

/** Everything that was seen at one place of a tool's inputs. */
export interface Sample {
  /** How many values. */
  count: number;
  nulls: number;
  readonly booleans: Set<boolean>;
  numbers: { min: number; max: number } | undefined;
  /** Each text, and how often. */
  readonly strings: Map<string, number>;
  /** Whether a text was another than the id of the call's own principal. */
  foreign: boolean;
  lists: { sizeMax: number; readonly items: Sample } | undefined;
  maps: { count: number; readonly members: Map<string, Sample> } | undefined;
  /** True where values lie deeper than is looked at. */
  deep: boolean;
}

export type Kind = "null" | "bool" | "number" | "string" | "list" | "map";

/** Below it nothing is learnt. */
const DEPTH_MAX = 8;

function empty(): Sample {
  return {
    ...{ count: 0, nulls: 0, numbers: undefined, lists: undefined, maps: undefined, foreign: false, deep: false },
    booleans: new Set(),
    strings: new Map(),
  };
}

function addList(sample: Sample, items: readonly JsonValue[], principal: string, depth: number): void {
  sample.lists ??= { sizeMax: 0, items: empty() };
  sample.lists.sizeMax = Math.max(sample.lists.sizeMax, items.length);
  for (const item of items) add(sample.lists.items, item, principal, depth + 1);
}

function addMap(sample: Sample, map: JsonObject, principal: string, depth: number): void {
  sample.maps ??= { count: 0, members: new Map() };
  sample.maps.count++;
  for (const [key, value] of Object.entries(map)) {
    const member = sample.maps.members.get(key) ?? empty();
    sample.maps.members.set(key, member);
    add(member, value, principal, depth + 1);
  }
}

function add(sample: Sample, value: JsonValue, principal: string, depth: number): void {
  sample.count++;
  if (value === null) sample.nulls++;
  else if (typeof value === "boolean") sample.booleans.add(value);
  else if (typeof value === "string") {
    sample.strings.set(value, (sample.strings.get(value) ?? 0) + 1);
    sample.foreign ||= value !== principal || principal === "";
  } else if (typeof value === "number") {
    const { min, max } = sample.numbers ?? { min: value, max: value };
    sample.numbers = { min: Math.min(min, value), max: Math.max(max, value) };
  } else if (depth >= DEPTH_MAX) sample.deep = true;
  else if (Array.isArray(value)) addList(sample, value, principal, depth);
  else addMap(sample, value as JsonObject, principal, depth);
}

/** Gathers what stands at every place of the inputs of calls. */
export function sampleOf(calls: readonly SeenCall[]): Sample {
  const sample = empty();
  for (const { input, principal } of calls) add(sample, input, principal, 0);
  return sample;
}

/** The kinds of values that were seen. */
export function kindsOf(sample: Sample): Kind[] {
  const seen: [Kind, boolean][] = [
    ["null", sample.nulls > 0],
    ["bool", sample.booleans.size > 0],
    ["number", sample.numbers !== undefined],
    ["string", sample.strings.size > 0],
    ["list", sample.lists !== undefined],
    ["map", sample.maps !== undefined],
  ];
  return seen.filter(([, there]) => there).map(([kind]) => kind);
}
