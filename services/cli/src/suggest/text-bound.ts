import { list, literal } from "./cel-text.ts";
import { textShape } from "./text-shape.ts";
import type { ValueBound } from "./value-bound.ts";

type Texts = ReadonlyMap<string, number>;

const ALWAYS_SET_MAX = 4;
const SET_MAX = 16;
/** Above it each member of a set was seen so often that others are not to be expected. */
const SEEN_OFTEN = 4;
const SET_CHARS_MAX = 1500;
const GROUPS_MAX = 8;

/** The first of some texts that is none of those that were seen. */
function unseen(texts: readonly string[], make: (n: string) => string): string {
  for (let n = 0; ; n++) {
    const text = make(n === 0 ? "" : `${n}`);
    if (!texts.includes(text)) return text;
  }
}

const shown = (values: readonly string[]) => values.map(literal).join(", ");

/** One of the values that were seen, and no other. */
function setBound(expression: string, values: readonly string[]): ValueBound | undefined {
  const [only] = values;
  if (only === undefined || list(values).length > SET_CHARS_MAX) return undefined;
  const refused = () => [unseen(values, (n) => `not seen${n}`)];
  const text = values.length === 1 ? `${expression} == ${literal(only)}` : `${expression} in ${list(values)}`;
  return { text, stops: `other than ${shown(values)}`, wider: undefined, refused };
}

/** The directory that all paths are or lie below, `/` when they share none; `last` leaves their last parts out. */
function sharedDirectory(paths: readonly string[], last: 0 | 1 = 0): string {
  const split = paths.map((path) => path.split("/").filter((part) => part !== ""));
  const [first = []] = split;
  const parts = first.slice(0, Math.max(0, Math.min(...split.map(({ length }) => length - last))));
  const at = parts.findIndex((part, index) => split.some((other) => other[index] !== part));
  return `/${(at === -1 ? parts : parts.slice(0, at)).join("/")}`;
}

function directories(paths: readonly string[]): string[] {
  const shared = sharedDirectory(paths);
  if (shared !== "/") return [shared];
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const [top = ""] = path.split("/").filter((part) => part !== "");
    groups.set(top, [...(groups.get(top) ?? []), path]);
  }
  return [...groups.values()].map((group) => sharedDirectory(group));
}

/** Below the directories that were seen. */
function pathBound(expression: string, values: readonly string[]): ValueBound | undefined {
  if (!values.every((value) => /^\/[^\0]*$/.test(value) && !value.startsWith("//"))) return undefined;
  const below = [...new Set(directories(values))].sort();
  if (below.length > GROUPS_MAX || below.includes("/")) return undefined;
  const parts = below.map((directory) => `path.within(${expression}, ${literal(directory)})`);
  return {
    text: parts.join(" || "),
    stops: `outside ${shown(below)}`,
    wider: `any path in ${shown(below)}`,
    refused: () => [
      unseen(
        below.map((directory) => `/${directory.split("/")[1]}`),
        (n) => `/not-seen${n}`,
      ),
    ],
  };
}

const URL_FORM = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@:]+)(?::\d+)?(\/[^?#]*)?/;

interface Address {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

function addressOf(value: string): Address | undefined {
  const [, scheme, host, path = "/"] = URL_FORM.exec(value) ?? [];
  return scheme === undefined || host === undefined
    ? undefined
    : { scheme: scheme.toLowerCase(), host: host.toLowerCase(), path };
}

/** On the hosts that were seen, by the same schemes; the tightest first. */
function urlBounds(expression: string, values: readonly string[]): ValueBound[] {
  const addresses = values.map(addressOf).filter((address) => address !== undefined);
  if (addresses.length < values.length) return [];
  const schemes = [...new Set(addresses.map(({ scheme }) => scheme))].sort();
  const hosts = [...new Set(addresses.map(({ host }) => host))].sort();
  if (hosts.length > GROUPS_MAX) return [];
  const hostText = `url.scheme(${expression}) in ${list(schemes)} && url.host(${expression}) in ${list(hosts)}`;
  const other = unseen(hosts, (n) => `not-seen${n}.example`);
  const refused = () => [`${schemes[0]}://${other}/`];
  const byHost: ValueBound = {
    text: hostText,
    stops: `other than by ${shown(schemes)} to ${shown(hosts)}`,
    wider: `anything on ${shown(hosts)}`,
    refused,
  };
  const directory = sharedDirectory(
    addresses.map(({ path }) => path),
    1,
  );
  if (directory === "/") return [byHost];
  const byPath: ValueBound = {
    text: `${hostText} && url.path(${expression}).startsWith(${literal(`${directory}/`)})`,
    stops: `${byHost.stops}, below ${literal(directory)}`,
    wider: `anything below ${literal(directory)} on ${shown(hosts)}`,
    refused,
  };
  return [byPath, byHost];
}

/** Of the form that all texts have. */
function shapeBound(expression: string, values: readonly string[]): ValueBound | undefined {
  const shape = textShape(values);
  if (shape === undefined || shape.length > 300) return undefined;
  return {
    text: `${expression}.matches(${literal(shape)})`,
    stops: `not of the form ${shape}`,
    wider: `any text of the form ${shape} (${values.length} different ones were seen)`,
    refused: () => [""],
  };
}

function anyText(expression: string, values: readonly string[]): ValueBound {
  return {
    text: `type(${expression}) == string`,
    stops: "that is no text",
    wider: `any text (${values.length} different ones were seen)`,
    refused: () => [0],
  };
}

/** The session's own principal, of whom there were several. */
function ownBound(expression: string): ValueBound {
  return {
    text: `${expression} == principal.id`,
    stops: "other than the session's principal",
    wider: "whoever the session is for",
    refused: () => ["not seen"],
  };
}

/**
 * What may be said of texts, the tightest that reads well first; the last holds for any text. `own`: whether each was the
 * id of its own call's principal.
 */
export function textBounds(expression: string, texts: Texts, own: boolean): ValueBound[] {
  const values = [...texts.keys()].sort();
  const seen = [...texts.values()].reduce((sum, count) => sum + count, 0);
  const set = setBound(expression, values);
  const any = anyText(expression, values);
  const found = (...bounds: (ValueBound | undefined)[]) => [...bounds.filter((bound) => bound !== undefined), any];
  if (values.length === 1) return found(set);
  const path = pathBound(expression, values);
  const urls = urlBounds(expression, values);
  const few = values.length <= ALWAYS_SET_MAX || (values.length <= SET_MAX && seen >= SEEN_OFTEN * values.length);
  const shape = shapeBound(expression, values);
  const rest = few ? [set, shape] : [shape, values.length <= SET_MAX ? set : undefined];
  return found(own ? ownBound(expression) : undefined, path, ...urls, ...rest);
}
