import { compileGlob, isExactName, type NameTest } from "../compile/pattern.ts";
import { parseTimestampNs } from "../instant.ts";
import { allowedBy, type Bound, limitOf, limitWithin, type ReadLimit, readLimit } from "./limit.ts";
import type { Scope } from "./scope.ts";

/** One thing that a scope would let happen and the scope above it does not. */
export interface ScopeExcess {
  /** Where it stands in the inner scope, or what is missing from it: `tools[1]`, `bounds[0].max`, `labels.team`. */
  readonly place: string;
  /** What the inner scope says there; empty where it says nothing. */
  readonly asked: string;
  /** What the outer scope allows. */
  readonly allowed: string;
}

/** How the two scopes stand to each other. */
export interface Standing {
  /** Whom both serve, where that is known: `principal.id` is then this text. */
  readonly principal?: string;
  /** By how many delegations the inner one lies deeper; its `maxDepth` must be that much less. 0 unless said. */
  readonly deeper?: number;
}

/** Two scopes that take more comparisons are not compared: that is answered as an excess. */
const comparisonsMax = 25_000;

class Exhausted extends Error {}

/**
 * Everything that the inner scope permits and the outer one does not, by place; empty means that whatever the inner one
 * permits, at any time, the outer one permits. Pure and decided by comparing what is written: set inclusion of globs,
 * order of numbers, prefixes, and times. It may name an excess where there is none (two globs that only together cover a
 * third, tools that do not exist), and never misses one. Absent `expiresAt` and `maxDepth` are without end.
 */
export function scopeExcesses(inner: Scope, outer: Scope, standing: Standing = {}): readonly ScopeExcess[] {
  let left = comparisonsMax;
  const compare = (comparisons: number) => {
    left -= comparisons;
    if (left < 0) throw new Exhausted();
  };
  try {
    return [
      ...toolExcesses(inner, outer, compare),
      ...boundExcesses(inner, outer, standing.principal, compare),
      ...labelExcesses(inner, outer),
      ...depthExcesses(inner, outer, standing.deeper ?? 0),
      ...expiryExcesses(inner, outer),
    ];
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    const asked = `${inner.tools.length} tools, ${inner.bounds?.length ?? 0} bounds`;
    return [{ place: "scope", asked, allowed: "a scope that takes fewer comparisons with the one above it" }];
  }
}

/** Counts comparisons. */
type Count = (comparisons: number) => void;

/** Values that a bound names are looked up faster than one glob is compared with another. */
const valuesPerComparison = 2;

/**
 * Whether every name that the inner glob matches, the outer one does too. Exact: the star of the inner glob is a
 * character that no name has, so that only a star of the outer one can stand for it.
 */
export function globWithin(inner: string, outer: string): boolean {
  return compileGlob(outer)(inner);
}

/** A glob, taken apart once for however many it is compared with. */
interface ReadGlob {
  readonly glob: string;
  readonly exact: boolean;
  readonly test: NameTest;
  readonly begin: string;
  readonly end: string;
}

function readGlob(glob: string): ReadGlob {
  const [begin, end] = [glob.slice(0, glob.indexOf("*")), glob.slice(glob.lastIndexOf("*") + 1)];
  return { glob, exact: isExactName(glob), test: compileGlob(glob), begin, end };
}

/** Whether some name may match both; true unless their beginnings, ends or whole names rule it out. */
export function globsMayMeet(one: string, other: string): boolean {
  return mayMeet(readGlob(one), readGlob(other));
}

function mayMeet(one: ReadGlob, other: ReadGlob): boolean {
  if (one.exact) return other.test(one.glob);
  if (other.exact) return one.test(other.glob);
  return (
    (one.begin.startsWith(other.begin) || other.begin.startsWith(one.begin)) &&
    (one.end.endsWith(other.end) || other.end.endsWith(one.end))
  );
}

function toolExcesses(inner: Scope, outer: Scope, compare: Count): ScopeExcess[] {
  const tests = outer.tools.map(compileGlob);
  const same = new Set(outer.tools);
  const within = (glob: string) => {
    if (same.has(glob)) return true;
    const at = tests.findIndex((test) => test(glob));
    compare(at < 0 ? tests.length : at + 1);
    return at >= 0;
  };
  const allowed = outer.tools.length === 0 ? "no tool" : outer.tools.join(", ");
  return inner.tools.flatMap((glob, at) => (within(glob) ? [] : [{ place: `tools[${at}]`, asked: glob, allowed }]));
}

/** A bound of the inner scope, and where it stands. */
interface ReadBound {
  readonly limit: ReadLimit;
  readonly tools: ReadGlob;
  readonly at: number;
  readonly comparisons: number;
}

function readBound(bound: Bound, at: number, principal: string | undefined): ReadBound {
  const limit = readLimit(bound, principal);
  const values = Array.isArray(limit.literals) ? limit.literals.length : 1;
  const comparisons = Math.max(1, Math.ceil(values / valuesPerComparison));
  return { limit, tools: readGlob(bound.tool), at, comparisons };
}

/** Every bound of the outer scope must be kept by the inner one for whatever tool both concern. */
function boundExcesses(inner: Scope, outer: Scope, principal: string | undefined, compare: Count): ScopeExcess[] {
  const byPath = new Map<string, ReadBound[]>();
  for (const [at, bound] of (inner.bounds ?? []).entries()) {
    const read = readBound(bound, at, principal);
    const same = byPath.get(bound.path);
    if (same) same.push(read);
    else byPath.set(bound.path, [read]);
  }
  const globs = inner.tools.map(readGlob);
  return (outer.bounds ?? []).flatMap((bound) => {
    const here = byPath.get(bound.path) ?? [];
    const within = limitWithin(bound, principal);
    const concerned = readGlob(bound.tool);
    const narrow: ReadBound[] = [];
    for (const one of here) {
      compare(one.comparisons);
      if (!within(one.limit)) continue;
      // What holds for all that the outer bound concerns holds for each glob's part of it.
      if (one.tools.test(bound.tool)) return [];
      narrow.push(one);
    }
    const loose = globs.find((glob) => {
      compare(1);
      if (!mayMeet(glob, concerned)) return false;
      compare(narrow.length);
      return !narrow.some(({ tools }) => tools.test(glob.glob));
    });
    if (loose === undefined) return [];
    compare(here.length);
    return [boundExcess(bound, loose, here)];
  });
}

function boundExcess(outer: Bound, glob: ReadGlob, here: readonly ReadBound[]): ScopeExcess {
  const allowed = `${outer.path} of ${outer.tool}: ${allowedBy(outer)}`;
  const wide = here.find(({ tools }) => mayMeet(tools, glob));
  if (!wide) return { place: "bounds", asked: `${glob.glob} without a bound on ${outer.path}`, allowed };
  const { bound } = wide.limit;
  const asked = `${bound.path} of ${bound.tool}: ${allowedBy(bound)}`;
  return { place: `bounds[${wide.at}].${limitOf(bound) ?? "limit"}`, asked, allowed };
}

function labelExcesses(inner: Scope, outer: Scope): ScopeExcess[] {
  return Object.entries(outer.labels ?? {}).flatMap(([name, value]) => {
    const asked = new Map(Object.entries(inner.labels ?? {})).get(name);
    if (asked === value) return [];
    return [{ place: `labels.${name}`, asked: asked ?? "", allowed: `tools that carry ${name}=${value}` }];
  });
}

function depthExcesses({ maxDepth: asked }: Scope, { maxDepth }: Scope, deeper: number): ScopeExcess[] {
  if (maxDepth === undefined) return [];
  const most = maxDepth - deeper;
  if (most >= 0 && asked !== undefined && asked <= most) return [];
  const allowed = most < 0 ? "no further delegation" : `at most ${most}`;
  return [{ place: "max_depth", asked: asked === undefined ? "" : `${asked}`, allowed }];
}

function expiryExcesses({ expiresAt: asked }: Scope, { expiresAt }: Scope): ScopeExcess[] {
  if (expiresAt === undefined) return [];
  // What is no time has expired: nothing is narrower than that.
  const end = parseTimestampNs(expiresAt);
  const wanted = asked === undefined ? undefined : parseTimestampNs(asked);
  if (end !== undefined && wanted !== undefined && wanted <= end) return [];
  return [{ place: "expires_at", asked: asked ?? "", allowed: `at most ${expiresAt}` }];
}
