import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGlob } from "../compile/pattern.ts";
import type { Bound } from "./limit.ts";
import { exceededScope, type Scope } from "./scope.ts";
import { globsMayMeet, globWithin, scopeExcesses } from "./subset.ts";

const places = (inner: Scope, outer: Scope, standing = {}) =>
  scopeExcesses(inner, outer, standing).map(({ place, asked, allowed }) => `${place}: ${asked} | ${allowed}`);
const all: Scope = { tools: ["*"] };
const bounded = (limit: Partial<Bound>, more: Partial<Bound> = {}): Scope => ({
  tools: ["pay.*"],
  bounds: [{ tool: "pay.*", path: "input.a", ...limit, ...more }],
});

describe("a scope beside the one above it", () => {
  it("is a subset of itself, and of every tool", () => {
    const whole: Scope = {
      ...{ tools: ["a.*", "b"], labels: { tier: "1" }, maxDepth: 2, expiresAt: "2026-03-01T00:00:00Z" },
      bounds: [
        { tool: "a.*", path: "input.x", max: 5 },
        { tool: "*", path: "input.to", equals: "principal.id" },
      ],
    };
    expect(places(whole, whole)).toEqual([]);
    expect(places(whole, all)).toEqual([]);
  });

  it("names each excess with its place, what it asks for and what is allowed", () => {
    const outer: Scope = {
      ...{ tools: ["pay.*", "read"], labels: { tier: "1" }, maxDepth: 2, expiresAt: "2026-03-01T00:00:00Z" },
      bounds: [
        { tool: "pay.*", path: "input.amount", max: 500 },
        { tool: "pay.*", path: "input.to", equals: "principal.id" },
      ],
    };
    const inner: Scope = {
      ...{ tools: ["pay.card", "mail.send"], labels: { tier: "2" }, maxDepth: 2, expiresAt: "2026-03-01T00:00:01Z" },
      bounds: [{ tool: "pay.card", path: "input.amount", max: 501 }],
    };
    expect(places(inner, outer, { deeper: 1 })).toEqual([
      "tools[1]: mail.send | pay.*, read",
      "bounds[0].max: input.amount of pay.card: at most 501 | input.amount of pay.*: at most 500",
      "bounds: pay.card without a bound on input.to | input.to of pay.*: equals principal.id",
      "labels.tier: 2 | tools that carry tier=1",
      "max_depth: 2 | at most 1",
      "expires_at: 2026-03-01T00:00:01Z | at most 2026-03-01T00:00:00Z",
    ]);
  });

  it("needs no bound for tools that the outer bound does not concern", () => {
    expect(places({ tools: ["read"] }, { tools: ["*"], bounds: [{ tool: "pay.*", path: "input.a", max: 1 }] })).toEqual(
      [],
    );
    expect(
      places(
        { tools: ["*"], bounds: [{ tool: "pay.*", path: "input.a", max: 1 }] },
        { tools: ["*"], bounds: [{ tool: "pay.*", path: "input.a", max: 1 }] },
      ),
    ).toEqual([]);
    expect(
      places({ tools: ["*"] }, { tools: ["*"], bounds: [{ tool: "pay.*", path: "input.a", max: 1 }] }),
    ).toHaveLength(1);
  });

  it("ends with it and goes no deeper: an end that is not written is none", () => {
    expect(places(all, { ...all, expiresAt: "2026-03-01T00:00:00Z" })).toHaveLength(1);
    expect(places({ ...all, expiresAt: "x" }, { ...all, expiresAt: "2026-03-01T00:00:00Z" })).toHaveLength(1);
    expect(
      places({ ...all, expiresAt: "2026-03-01T01:00:00+01:00" }, { ...all, expiresAt: "2026-03-01T00:00:00Z" }),
    ).toEqual([]);
    expect(places(all, { ...all, maxDepth: 3 })).toHaveLength(1);
    expect(places({ ...all, maxDepth: 0 }, { ...all, maxDepth: 0 }, { deeper: 1 })).toEqual([
      "max_depth: 0 | no further delegation",
    ]);
  });

  it.each<[Partial<Bound>, Partial<Bound>, boolean]>([
    [{ max: 5 }, { max: 5 }, true],
    [{ max: 6 }, { max: 5 }, false],
    [{ min: 5 }, { max: 5 }, false],
    [{ max: 5 }, { max: "5.0" }, true],
    [{ max: "5" }, { max: 5 }, false],
    [{ max: "5.000000000000000001" }, { max: "5" }, false],
    [{ min: "5" }, { min: "4.9" }, true],
    [{ in: [1, 2] }, { max: 2 }, true],
    [{ in: [1, "2"] }, { max: 2 }, false],
    [{ equals: "x" }, { in: ["x", "y"] }, true],
    [{ in: ["x", "z"] }, { in: ["x", "y"] }, false],
    [{ in: ["x"] }, { equals: "x" }, true],
    [{ prefix: "/w/a" }, { prefix: "/w" }, true],
    [{ prefix: "/w/../etc" }, { prefix: "/w" }, false],
    [{ prefix: "/wide" }, { prefix: "/w" }, false],
    [{ prefix: "wide" }, { prefix: "w" }, true],
    [{ prefix: "w" }, { prefix: "wide" }, false],
    [{ equals: "/w/../etc" }, { prefix: "/w" }, false],
    [{ in: ["/w/a", "/w"] }, { prefix: "/w" }, true],
    [{ equals: "principal.id" }, { equals: "principal.id" }, true],
    [{ equals: "mia" }, { equals: "principal.id" }, false],
    [{ equals: "principal.id" }, { in: ["mia"] }, false],
  ])("a bound of %j is within %j: %s", (inner, outer, holds) => {
    expect(places(bounded(inner), bounded(outer)).length === 0).toBe(holds);
  });

  it("knows the principal where both serve the same", () => {
    const mia = { principal: "mia" };
    expect(places(bounded({ equals: "mia" }), bounded({ equals: "principal.id" }), mia)).toEqual([]);
    expect(places(bounded({ equals: "principal.id" }), bounded({ in: ["mia"] }), mia)).toEqual([]);
    expect(places(bounded({ equals: "ben" }), bounded({ equals: "principal.id" }), mia)).toHaveLength(1);
  });

  it("is refused rather than compared for ever", () => {
    const many = (letter: string, max: number): Scope => ({
      tools: Array.from({ length: 256 }, (_, at) => `*${letter}${at}*`),
      bounds: Array.from({ length: 256 }, (_, at) => ({ tool: `*${letter}${at}*`, path: "input.a", max })),
    });
    expect(places(many("a", 1), many("a", 1))).toEqual([]);
    expect(scopeExcesses(many("a", 2), many("a", 1)).map(({ place }) => place)).toEqual(["scope"]);
    expect(scopeExcesses(many("b", 1), many("a", 1)).map(({ place }) => place)).toEqual(["scope"]);
  });
});

// A few letters, so that names and globs often meet.
const letter = fc.constantFrom("a", "b", ".");
const name = fc.array(letter, { minLength: 1, maxLength: 6 }).map((letters) => letters.join(""));
const glob = fc
  .array(fc.constantFrom("a", "b", ".", "*"), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(""));
const literal = fc.constantFrom<string | number>(
  1,
  2,
  3,
  "2",
  "mia",
  "ben",
  "/w",
  "/w/a",
  "/w/../x",
  "wa",
  "w/a",
  "w/../x",
);
const limit: fc.Arbitrary<Partial<Bound>> = fc.oneof(
  fc.constantFrom<Partial<Bound>>({ max: 1 }, { max: 2 }, { max: "2" }, { max: "2.5" }, { min: 2 }, { min: "1" }),
  fc.array(literal, { minLength: 1, maxLength: 3 }).map((members) => ({ in: members })),
  fc.constantFrom("/", "/w", "/w/a", "/w/../x", "w", "m", "wa", "w/").map((prefix) => ({ prefix })),
  fc.oneof(literal, fc.constant("principal.id")).map((equals) => ({ equals })),
);
const bound = fc
  .tuple(glob, fc.constantFrom("input.x", "input.y", "input.l.*"), limit)
  .map(([tool, path, one]): Bound => ({ tool, path, ...one }));
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 1 });
const scope: fc.Arbitrary<Scope> = fc
  .record({
    tools: fc.array(glob, { maxLength: 3 }),
    bounds: fc.array(bound, { maxLength: 3 }),
    labels: optional(fc.constantFrom({ t: "1" }, { t: "2" }, { t: "1", u: "1" })),
    expiresAt: optional(fc.constantFrom("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")),
  })
  .map(({ labels, expiresAt, ...rest }) => ({ ...rest, ...(labels && { labels }), ...(expiresAt && { expiresAt }) }));
const argument = fc.oneof(
  literal,
  fc.constantFrom<unknown>(2.5, "2.5", null, true, "/w/b", "/", "waa", "principal.id", [1], { x: 1 }),
);
const call = fc.record({
  tool: name,
  toolLabels: fc.constantFrom({}, { t: "1" }, { t: "1", u: "1" }, { t: "2" }),
  input: fc.record(
    { x: argument, y: argument, l: fc.oneof(fc.array(argument, { maxLength: 2 }), argument) },
    { requiredKeys: [] },
  ),
  principal: fc.constantFrom("mia", "ben"),
  now: fc.constantFrom("2025-12-31T00:00:00Z", "2026-06-01T00:00:00Z"),
});
const permits = (one: Scope, asked: unknown) => exceededScope([one], asked as never, { steps: 100_000 }) === undefined;

describe("what is called a subset", () => {
  it("permits nothing that the outer scope does not: no excess is missed", () => {
    let subsets = 0;
    let permitted = 0;
    // Half of the pairs are made alike, or hardly any would be a subset of the other.
    const pair = fc.oneof(
      fc.tuple(scope, scope),
      fc
        .tuple(scope, fc.array(bound, { maxLength: 2 }), fc.nat(2))
        .map(([outer, more, left]): [Scope, Scope] => [
          { ...outer, tools: outer.tools.slice(0, left + 1), bounds: [...(outer.bounds ?? []), ...more] },
          outer,
        ]),
      fc
        .tuple(scope, bound)
        .map(([inner, changed]): [Scope, Scope] => [
          inner,
          { ...inner, bounds: [...(inner.bounds ?? []).slice(1), changed] },
        ]),
    );
    const known = fc.boolean();
    fc.assert(
      fc.property(pair, fc.array(call, { minLength: 8, maxLength: 8 }), known, ([inner, outer], calls, isKnown) => {
        const standing = isKnown ? { principal: "mia" } : {};
        if (scopeExcesses(inner, outer, standing).length > 0) return;
        subsets++;
        for (const one of calls) {
          if (isKnown && one.principal !== "mia") continue;
          if (!permits(inner, one)) continue;
          permitted++;
          expect(permits(outer, one)).toBe(true);
        }
      }),
      { numRuns: 4000 },
    );
    // The property says something: many pairs are subsets, and many calls pass the inner one.
    expect(subsets).toBeGreaterThan(800);
    expect(permitted).toBeGreaterThan(100);
  });

  it("decides globs: every name of the inner one is one of the outer one, and globs that share a name may meet", () => {
    fc.assert(
      fc.property(glob, glob, fc.array(name, { minLength: 30, maxLength: 30 }), (one, other, names) => {
        const [inner, outer] = [compileGlob(one), compileGlob(other)];
        const both = names.filter((each) => inner(each) && outer(each));
        if (globWithin(one, other)) expect(names.filter((each) => inner(each) && !outer(each))).toEqual([]);
        if (!globsMayMeet(one, other)) expect(both).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("is a partial order: what is within what is within a third is within it", () => {
    let chains = 0;
    fc.assert(
      fc.property(scope, fc.array(bound, { maxLength: 2 }), fc.array(bound, { maxLength: 2 }), (top, some, more) => {
        const middle: Scope = { ...top, bounds: [...(top.bounds ?? []), ...some] };
        const low: Scope = { ...middle, tools: middle.tools.slice(0, 1), bounds: [...(middle.bounds ?? []), ...more] };
        if (scopeExcesses(low, middle).length > 0 || scopeExcesses(middle, top).length > 0) return;
        chains++;
        expect(scopeExcesses(low, top)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
    expect(chains).toBeGreaterThan(500);
  });
});
