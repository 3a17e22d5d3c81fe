import { compileGlob, isExactName } from "../compile/pattern.ts";
import { parseTimestampNs } from "../instant.ts";
import { allowedBy, type Bound, limitOf, limitWithin } from "./limit.ts";
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
const comparisonsMax = 100_000;

class Exhausted extends Error {}

/**
 * Everything that the inner scope permits and the outer one does not, by place; empty means that whatever the inner one
 * permits, at any time, the outer one permits. Pure and decided by comparing what is written: set inclusion of globs,
 * order of numbers, prefixes, and times. It may name an excess where there is none (two globs that only together cover a
 * third, tools that do not exist), and never misses one. Absent `expiresAt` and `maxDepth` are without end.
 */
export function scopeExcesses(inner: Scope, outer: Scope, standing: Standing = {}): readonly ScopeExcess[] {
  let left = comparisonsMax;
  const compare = () => {
    if (--left < 0) throw new Exhausted();
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

/** A comparison that is counted. */
type Count = () => void;

/**
 * Whether every name that the inner glob matches, the outer one does too. Exact: the star of the inner glob is a
 * character that no name has, so that only a star of the outer one can stand for it.
 */
export function globWithin(inner: string, outer: string): boolean {
  return compileGlob(outer)(inner);
}

/** Whether some name may match both; true unless their beginnings, ends or whole names rule it out. */
export function globsMayMeet(one: string, other: string): boolean {
  if (isExactName(one)) return compileGlob(other)(one);
  if (isExactName(other)) return compileGlob(one)(other);
  const [first, second] = [ends(one), ends(other)];
  return (
    (first.begin.startsWith(second.begin) || second.begin.startsWith(first.begin)) &&
    (first.end.endsWith(second.end) || second.end.endsWith(first.end))
  );
}

function ends(glob: string): { readonly begin: string; readonly end: string } {
  return { begin: glob.slice(0, glob.indexOf("*")), end: glob.slice(glob.lastIndexOf("*") + 1) };
}

function toolExcesses(inner: Scope, outer: Scope, compare: Count): ScopeExcess[] {
  const tests = outer.tools.map(compileGlob);
  const within = (glob: string) =>
    tests.some((test) => {
      compare();
      return test(glob);
    });
  const allowed = outer.tools.length === 0 ? "no tool" : outer.tools.join(", ");
  return inner.tools.flatMap((glob, at) => (within(glob) ? [] : [{ place: `tools[${at}]`, asked: glob, allowed }]));
}

/** Every bound of the outer scope must be kept by the inner one for whatever tool both concern. */
function boundExcesses(inner: Scope, outer: Scope, principal: string | undefined, compare: Count): ScopeExcess[] {
  const byPath = new Map<string, { readonly bound: Bound; readonly at: number }[]>();
  for (const [at, bound] of (inner.bounds ?? []).entries()) {
    const same = byPath.get(bound.path);
    if (same) same.push({ bound, at });
    else byPath.set(bound.path, [{ bound, at }]);
  }
  return (outer.bounds ?? []).flatMap((bound) => {
    const here = byPath.get(bound.path) ?? [];
    const narrow = here.filter((one) => {
      compare();
      return limitWithin(one.bound, bound, principal);
    });
    const loose = inner.tools.find((glob) => {
      compare();
      return globsMayMeet(glob, bound.tool) && !narrow.some((one) => covers(one.bound.tool, glob, bound.tool, compare));
    });
    return loose === undefined ? [] : [boundExcess(bound, loose, here)];
  });
}

/** Whether a bound on these tools reaches every tool that is both of the glob and of what the outer bound concerns. */
function covers(tools: string, glob: string, concerned: string, compare: Count): boolean {
  compare();
  return globWithin(glob, tools) || globWithin(concerned, tools);
}

function boundExcess(
  outer: Bound,
  glob: string,
  here: readonly { readonly bound: Bound; readonly at: number }[],
): ScopeExcess {
  const allowed = `${outer.path} of ${outer.tool}: ${allowedBy(outer)}`;
  const wide = here.find(({ bound }) => globsMayMeet(bound.tool, glob));
  if (!wide) return { place: "bounds", asked: `${glob} without a bound on ${outer.path}`, allowed };
  const { bound, at } = wide;
  const asked = `${bound.path} of ${bound.tool}: ${allowedBy(bound)}`;
  return { place: `bounds[${at}].${limitOf(bound) ?? "limit"}`, asked, allowed };
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
