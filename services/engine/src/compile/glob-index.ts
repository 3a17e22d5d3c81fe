import { compileGlob, isExactName } from "./pattern.ts";
import type { Steps } from "./steps.ts";
import { type WideMap, wideMap } from "./wide-map.ts";

const globCost = 0.1;

/** Many globs, of which those that fit a name are found without trying each. */
export interface GlobIndex {
  /** The numbers of the globs that fit, each once, in no order. */
  fitting(name: string): number[];
}

/** A literal part of a glob that a name must have for the glob to fit: at its beginning, at its end, or anywhere. */
interface Anchor {
  readonly at: "begin" | "end" | "inside";
  readonly literal: string;
}

interface Anchored {
  readonly number: number;
  /** Undefined where the anchor says it all. */
  readonly test: ((name: string) => boolean) | undefined;
}

/** Anchored globs by their literal, a map for each length: a trie laid flat. */
type ByLiteral = Map<number, Map<string, Anchored[]>>;

/**
 * An index over globs without repetition, numbered as they stand. A glob is found by one of its literal parts: the one
 * that the fewest others have too, so that ten thousand globs that begin or end alike are still told apart.
 */
export function* indexGlobs(globs: readonly string[]): Steps<GlobIndex> {
  const exact = wideMap<number>();
  const every: number[] = [];
  const shared = wideMap<number>();
  const anchors: (readonly Anchor[])[] = [];
  for (const glob of globs) {
    const ofGlob = isExactName(glob) ? [] : anchorsOf(glob);
    for (const anchor of ofGlob) shared.set(keyOf(anchor), (shared.get(keyOf(anchor)) ?? 0) + 1);
    anchors.push(ofGlob);
    yield globCost;
  }
  const rarity = (anchor: Anchor) => shared.get(keyOf(anchor)) ?? 0;
  const places: Record<Anchor["at"], ByLiteral> = { begin: new Map(), end: new Map(), inside: new Map() };
  for (const [number, glob] of globs.entries()) {
    const [first, ...others] = anchors[number] ?? [];
    if (isExactName(glob)) exact.set(glob, number);
    else if (!first) every.push(number);
    else {
      const best = others.reduce((one, other) => (rarer(one, other, rarity) ? other : one), first);
      add(places[best.at], best.literal, { number, test: saysAll(glob, best) ? undefined : compileGlob(glob) });
    }
    yield globCost;
  }
  return { fitting: (name) => fitting(name, every, exact, places) };
}

function fitting(
  name: string,
  every: readonly number[],
  exact: Pick<WideMap<number>, "get">,
  { begin, end, inside }: Record<Anchor["at"], ByLiteral>,
): number[] {
  const found = [...every];
  const number = exact.get(name);
  if (number !== undefined) found.push(number);
  const take = (candidates: readonly Anchored[] | undefined) => {
    for (const { number, test } of candidates ?? []) if (!test || test(name)) found.push(number);
  };
  for (const [length, literals] of begin) take(literals.get(name.slice(0, length)));
  for (const [length, literals] of end) if (length <= name.length) take(literals.get(name.slice(name.length - length)));
  for (const [length, literals] of inside) {
    const seen = new Set<string>();
    for (let from = 0; from + length <= name.length; from++) seen.add(name.slice(from, from + length));
    for (const literal of seen) take(literals.get(literal));
  }
  return found;
}

function anchorsOf(glob: string): Anchor[] {
  const parts = glob.split("*");
  return parts.flatMap((literal, index): Anchor[] => {
    if (literal === "") return [];
    return [{ at: index === 0 ? "begin" : index === parts.length - 1 ? "end" : "inside", literal }];
  });
}

const keyOf = ({ at, literal }: Anchor) => `${at} ${literal}`;

function rarer(one: Anchor, other: Anchor, rarity: (anchor: Anchor) => number): boolean {
  const [here, there] = [rarity(one), rarity(other)];
  return there < here || (there === here && other.literal.length > one.literal.length);
}

/** Whether a glob has nothing but this anchor and stars. */
function saysAll(glob: string, { at, literal }: Anchor): boolean {
  const stars = glob.length - literal.length;
  return [...glob].filter((char) => char === "*").length === stars && (at !== "inside" || stars >= 2);
}

function add(places: ByLiteral, literal: string, glob: Anchored): void {
  const literals = places.get(literal.length) ?? new Map<string, Anchored[]>();
  places.set(literal.length, literals);
  const there = literals.get(literal);
  if (there) there.push(glob);
  else literals.set(literal, [glob]);
}
