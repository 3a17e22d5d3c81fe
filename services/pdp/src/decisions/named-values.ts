import { Canonical, type Json, type JsonObject } from "../foundation/canonical.ts";

/** JSON, with other things in the places of some of its values. */
export type Replaced = Json | Canonical | readonly Replaced[] | { readonly [name: string]: Replaced };

const EVERY = "*";

type ReplacedObject = { readonly [name: string]: Replaced };

const isObject = (value: Replaced): value is ReplacedObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Canonical);

type Replace = (value: Replaced) => Replaced;

/**
 * The value with what stands at a path replaced; the same value when nothing does. `*` stands for every item of a list
 * or member of an object. A list on the way that the path does not name is gone through: rather too much than a name
 * that was meant.
 */
function replaceAt(value: Replaced, keys: readonly string[], replace: Replace): Replaced {
  const [key, ...rest] = keys;
  if (key === undefined) return replace(value);
  if (Array.isArray(value)) {
    const below = key === EVERY ? rest : keys;
    return value.map((item) => replaceAt(item, below, replace));
  }
  if (!isObject(value)) return value;
  const members = key === EVERY && !Object.hasOwn(value, key) ? Object.keys(value) : [key];
  const changed: Record<string, Replaced> = { ...value };
  for (const member of members) {
    const held = Object.hasOwn(value, member) ? value[member] : undefined;
    if (held !== undefined) changed[member] = replaceAt(held, rest, replace);
  }
  return changed;
}

/** Where a tool's paths begin. */
type Root = "input" | "context";

/**
 * A call's input or context with what paths name in it replaced, a path at a time. What was replaced whole is neither
 * looked into nor replaced again.
 */
export function* replaceNamed(
  root: Root,
  value: JsonObject,
  paths: readonly string[],
  replace: (value: Json) => Canonical,
): Generator<undefined, ReplacedObject, undefined> {
  const once: Replace = (held) => (held instanceof Canonical ? held : replace(held as Json));
  let changed: Replaced = value;
  const ways = paths.map((path) => path.split(".")).sort((a, b) => a.length - b.length);
  for (const [from, ...keys] of ways) {
    if (from !== root) continue;
    changed = replaceAt(changed, keys, once);
    yield;
  }
  return changed as ReplacedObject;
}

/** Every value in a value, itself last; `change` says what takes its place. */
export function rewrite(value: Replaced, change: Replace): Replaced {
  if (Array.isArray(value)) return change(value.map((item) => rewrite(item, change)));
  if (!isObject(value)) return change(value);
  const entries = Object.entries(value).map(([name, held]) => [name, rewrite(held, change)] as const);
  return change(Object.fromEntries(entries));
}

/** The texts in a value, names of members too: how it could be quoted. Some may be there more than once. */
export function addTexts(value: Json, into: string[]): void {
  if (typeof value === "string") into.push(value);
  else if (typeof value === "number") into.push(String(value));
  else if (Array.isArray(value)) for (const item of value) addTexts(item, into);
  else if (typeof value === "object" && value !== null) {
    for (const name of Object.keys(value)) {
      into.push(name);
      addTexts((value as JsonObject)[name] as Json, into);
    }
  }
}
