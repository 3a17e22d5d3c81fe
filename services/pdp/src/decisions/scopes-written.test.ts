import { judgeScopes, readScopes, type Scope } from "@remit/engine";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonical } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";
import { limits } from "../foundation/limits.ts";
import { finish } from "../foundation/steps.ts";
import { writeScopes } from "./scopes-written.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
/** Of a name that nothing has, so that scopes are long enough to be read before. */
const others = (prefix: string, count = 70) => many(count, (at) => `${prefix}${at}.${"x".repeat(200)}`);

function readFor(scopes: readonly Scope[], tool = "pay") {
  const reading = readScopes(scopes, tool);
  if (!reading) throw new Error("so few scopes are not read before");
  return finish(reading);
}
const written = (scopes: readonly Scope[], tool = "pay") => finish(writeScopes(scopes, readFor(scopes, tool))).text;
const told = (scopes: readonly Scope[], tool = "pay"): Scope[] => JSON.parse(written(scopes, tool));
const partOf = (scope: Scope) => ({
  ...{ digest: digest("scope", canonical(scope)), tools: scope.tools.length, bounds: scope.bounds?.length ?? 0 },
});

const long: Scope = {
  ...{ tools: [...others("a"), "p*", "pay", ...others("b")], maxDepth: 2, labels: { tier: "1", "a b": "\u2028" } },
  ...{ disclose: true, expiresAt: "2026-03-01T10:00:00Z" },
  bounds: [
    { tool: "other", path: "input.a", max: 0.1 },
    { tool: "pay", path: "input.b", in: ["x", 1, false, '"'] },
    ...many(400, (at) => ({ tool: `other${at}`, path: "input.c", equals: "ä".repeat(40) })),
  ],
};

test("what is short is written as it is in canonical JSON", () => {
  const scopes: readonly Scope[] = [
    { tools: [] },
    { tools: others("a") },
    { tools: ["a"], bounds: undefined } as never,
  ];
  expect(written(scopes)).toBe(canonical(scopes));
  expect(written(scopes.toReversed())).toBe(canonical(scopes.toReversed()));
});

test("of what is long an entry holds what it says of the call's tool, and the digest of all of it", () => {
  const short: Scope = { tools: ["pay", "refund"] };
  const { tools: _, bounds: __, ...rest } = long;
  expect(told([{ tools: ["*"] }, long, short])).toEqual([
    { tools: ["*"] },
    {
      ...rest,
      tools: ["p*"],
      bounds: [{ tool: "pay", path: "input.b", in: ["x", 1, false, '"'] }],
      partOf: partOf(long),
    },
    short,
  ]);
  expect(written([long])).toBe(canonical(told([long])));
  // Again, of what is remembered.
  expect(told([long, long])).toEqual([...told([long]), ...told([long])]);
  expect(told([long], "refund")[0]?.tools).toEqual(long.tools);
});

test("what a scope says of one tool is told of no other, however many are asked about", () => {
  const bounds = many(10, (at) => ({ tool: `t${at}.*`, path: "input.a", max: at }));
  const scope: Scope = { tools: [...others("a", 200), "t*"], bounds };
  const maxOf = (tool: string) => told([scope], tool)[0]?.bounds?.map(({ max }) => max);
  for (const _ of many(2, String)) {
    for (const at of many(10, (n) => n)) expect([maxOf(`t${at}.x`), maxOf(`t${at}.y`)]).toEqual([[at], [at]]);
  }
});

test("of scopes that a tool is outside of the first keeps its names, which whoever asks is told", () => {
  const outside = [{ tools: others("a", 200) }, { tools: others("b", 200), disclose: true }];
  expect(told(outside)).toEqual([outside[0], { disclose: true, tools: [], partOf: partOf(outside[1] as Scope) }]);
});

test("nobody is told of scopes that whoever judges does not come to", () => {
  const scopes = many(600, (at) => ({ tools: many(200, (n) => `p*${at}.${n}`).concat("pay") }));
  const read = readFor(scopes);
  expect(read.of.size).toBeLessThan(600);
  expect(told(scopes)).toHaveLength(read.of.size);
});

test("what says more of a tool than an entry can hold is refused, and what says as much is not", () => {
  const bounds = (count: number) =>
    many(count, (at) => ({ tool: "pay", path: "input.a", in: many(100, (n) => `${n}`.padEnd(1_000, `${at}`)) }));
  // About a hundred thousand bytes each.
  const most = Math.floor(limits.toolScopesBytesMax / canonical(bounds(1)).length) - 1;
  expect(told([{ tools: ["*"], bounds: bounds(most) }])[0]?.bounds).toHaveLength(most);
  const beyond = [
    { tools: ["*"], bounds: bounds(most) },
    { tools: ["*"], bounds: bounds(2) },
  ];
  const fault = expect.objectContaining({ kind: "precondition", reason: "scopes_too_long" });
  expect(() => written(beyond)).toThrow(fault);
  expect(told(beyond, "refund").map((scope) => scope.bounds)).toEqual([[], []]);
});

const name = fc.constantFrom("pay", "p*", "refund", "*", "re*", "x");
const bound = fc.record({
  ...{ tool: name, path: fc.constantFrom("input.a", "input.b", "input.list.*") },
  max: fc.integer({ min: 0, max: 6 }),
});
const scope = fc.record(
  {
    tools: fc.array(name, { maxLength: 3 }).map((some) => [...others("a"), ...some, ...others("b")]),
    bounds: fc.array(bound, { maxLength: 4 }),
    labels: fc.constantFrom({ tier: "1" }, { tier: "2" }),
    expiresAt: fc.constantFrom("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    disclose: fc.boolean(),
  },
  { requiredKeys: ["tools"] },
);

test("a call is judged by what its entry holds as it was by the scopes themselves, to the step", () => {
  fc.assert(
    fc.property(fc.array(scope, { minLength: 2, maxLength: 5 }), fc.nat({ max: 6 }), (scopes, a) => {
      const call = {
        ...{ tool: "pay", toolLabels: { tier: "1" }, input: { a, b: 2, list: [1, 2] }, principal: "mia" },
        now: "2026-06-01T00:00:00Z",
      };
      const judged = (by: readonly Scope[]) => {
        const { excess, stepsLeft } = finish(judgeScopes(by, call, { tool: "pay", of: new Map() })).judged ?? {};
        return { excess, stepsLeft };
      };
      const entry = told(scopes);
      expect(entry.some((one) => one.partOf !== undefined)).toBe(true);
      expect(judged(entry)).toEqual(judged(scopes));
    }),
    // One of which nothing is left but that it permits every tool.
    { examples: [[[["*"], []].map((some) => ({ tools: [...others("a"), ...some, ...others("b")] })), 0]] },
  );
});
