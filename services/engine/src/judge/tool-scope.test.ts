import { expect, test } from "vitest";
import { evaluationStepsMax } from "../cel/frame.ts";
import { finish } from "../compile/steps.ts";
import type { Bound } from "./limit.ts";
import { exceededScope, judgeScopes, type Scope, type ScopedCall } from "./scope.ts";
import { readScopes, type ScopesRead } from "./tool-scope.ts";

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const callOf = (tool: string): ScopedCall => ({
  ...{ tool, toolLabels: {}, input: { a: 5, b: "x" }, principal: "mia", now: "2026-03-01T10:00:00Z" },
});
const globs = (prefix: string) => many(100, (at) => `${prefix}${at}.*`);

function readAll(scopes: readonly Scope[], tool: string): ScopesRead {
  const reading = readScopes(scopes, tool);
  if (!reading) throw new Error("so few scopes are not read before");
  return finish(reading);
}

test("scopes that say little are not read before a call is judged", () => {
  expect(readScopes([{ tools: ["*"] }, { tools: ["a.*", "b"], bounds: [] }], "b")).toBeUndefined();
  expect(readScopes([{ tools: globs("a") }], "b")).toBeDefined();
  expect(
    readScopes([{ tools: ["*"], bounds: many(20, () => ({ tool: "*", path: "input.a", max: 1 })) }], "b"),
  ).toBeDefined();
});

test("what was read before answers as what is read meanwhile, and takes as many steps", () => {
  const bounds: Bound[] = [
    { tool: "pay", path: "input.a", max: 5 },
    { tool: "p*", path: "input.b", in: ["x", "y"] },
    { tool: "other", path: "input.a", max: 1 },
  ];
  const fits: Scope = { tools: [...globs("x"), "pay"], bounds };
  const lists: readonly (readonly Scope[])[] = [
    [fits],
    [fits, { tools: globs("x") }],
    [{ tools: globs("x") }, fits],
    [fits, { tools: [...globs("x"), "p*y"], bounds: [{ tool: "*", path: "input.a", max: 4 }] }],
    [fits, { tools: ["*"], expiresAt: "2026-01-01T00:00:00Z" }],
    [fits, { tools: ["*"], labels: { tier: "1" } }],
  ];
  const messages = lists.map((scopes) => {
    const [plain, read] = [{ steps: 10_000 }, { steps: 10_000 }];
    // Other objects, of which nothing is known.
    const found = exceededScope(structuredClone(scopes), callOf("pay"), plain);
    expect(exceededScope(scopes, callOf("pay"), read, readAll(scopes, "pay"))).toEqual(found);
    expect(read.steps).toBe(plain.steps);
    const [whole, judged] = [{ steps: evaluationStepsMax }, { steps: evaluationStepsMax }];
    const [anew, call] = [structuredClone(scopes), callOf("pay")];
    expect(exceededScope(scopes, call, judged, finish(judgeScopes(scopes, call, readAll(scopes, "pay"))))).toEqual(
      found,
    );
    exceededScope(anew, call, whole);
    expect(judged.steps).toBe(whole.steps);
    return found?.message;
  });
  expect(messages).toEqual([
    undefined,
    "the tool pay is outside the scope",
    "the tool pay is outside the scope",
    "input.a exceeds its bound max",
    "the scope has expired",
    "the tool does not carry the label tier",
  ]);
});

test("what was read of one tool says nothing of another", () => {
  const scopes = [{ tools: [...globs("x"), "pay"] }];
  const read = readAll(scopes, "pay");
  expect(exceededScope(scopes, callOf("pay"), { steps: 1000 }, read)).toBeUndefined();
  expect(exceededScope(scopes, callOf("refund"), { steps: 1000 }, read)?.message).toContain("outside the scope");
});

test("what scopes say to one call is said to no other", () => {
  const bounds: Bound[] = [{ tool: "*", path: "input.a", max: 5 }];
  const scope: Scope = {
    tools: [...globs("x"), "pay"],
    bounds,
    labels: { tier: "1" },
    expiresAt: "2026-04-01T00:00:00Z",
  };
  const call = { ...callOf("pay"), toolLabels: { tier: "1" } };
  const judged = (one: ScopedCall) => finish(judgeScopes([scope], one, readAll([scope], "pay")));
  const excess = (one: ScopedCall, by: ScopedCall, scopes: readonly Scope[] = [scope], steps = evaluationStepsMax) =>
    exceededScope(scopes, one, { steps }, judged(by))?.message;
  expect(excess(call, call)).toBeUndefined();
  const others: readonly ScopedCall[] = [
    { ...call, input: { a: 6 } },
    { ...call, toolLabels: {} },
    { ...call, now: "2026-04-01T00:00:00Z" },
  ];
  for (const other of others) {
    expect(excess(other, call)).toBeDefined();
    expect(excess(call, other)).toBeUndefined();
  }
  const own: Bound[] = [{ tool: "*", path: "input.b", equals: "principal.id" }];
  expect(exceededScope([{ ...scope, bounds: own }], call, { steps: 1_000 }, judged(call))).toBeDefined();
  expect(excess(call, call, [scope, { tools: ["refund"] }])).toBeDefined();
  // Of a transformed input, on what is left.
  expect(excess(call, call, [scope], 10)).toBe("input.a exceeds its bound max");
});

test("a call is judged in small parts by bounds that take all the steps there are", () => {
  const list = many(3_000, (at) => at);
  const bounds = many(200, (): Bound => ({ tool: "pay", path: "input.list.*", max: 3_000 }));
  const scopes = many(40, (): Scope => ({ tools: ["pay"], bounds }));
  const call = { ...callOf("pay"), input: { list } };
  const judging = judgeScopes(scopes, call, readAll(scopes, "pay"));
  let step = judging.next();
  let longest = 0;
  for (; !step.done; step = judging.next()) longest = Math.max(longest, step.value);
  // In units of ten microseconds.
  expect(longest).toBeLessThan(50);
  expect(step.value.judged?.stepsLeft).toBeLessThan(0);
  expect(step.value.judged?.excess).toEqual(exceededScope(scopes, call, { steps: evaluationStepsMax }));
});

test("a part of a scope takes as many steps as the whole of it", () => {
  const partOf = { digest: `sha256:${"0".repeat(64)}`, tools: 300, bounds: 50 };
  const meter = { steps: 1_000 };
  exceededScope([{ tools: ["pay"], partOf }], callOf("pay"), meter);
  expect(meter.steps).toBe(650);
});

test("a scope that is asked about more tools than are remembered answers each as before", () => {
  const scope: Scope = { tools: many(40, (at) => `tool-${at * 2}`) };
  const answers = () => many(80, (at) => exceededScope([scope], callOf(`tool-${at}`), { steps: 1000 }) === undefined);
  const first = answers();
  expect(first).toEqual(many(80, (at) => at % 2 === 0));
  expect(answers()).toEqual(first);
});

test("a bound is compiled once for all tools that it names", () => {
  let looked = 0;
  const bound = {
    ...{ tool: "pay*", path: "input.b" },
    get in() {
      looked++;
      return ["x"];
    },
  };
  const scope: Scope = { tools: ["*"], bounds: [bound] };
  expect(exceededScope([scope], callOf("pay-0"), { steps: 1000 })).toBeUndefined();
  const once = looked;
  for (const at of many(20, (n) => n + 1)) exceededScope([scope], callOf(`pay-${at}`), { steps: 1000 });
  expect(looked).toBe(once);
});

test("is read in small parts, and no further than anybody judges", () => {
  const starred = (at: number) => `p*${"a*".repeat(7)}${at}`.padEnd(250, "a");
  const scopes = many(
    1_000,
    (n): Scope => ({
      tools: [...many(255, (at) => `${starred(at)}${n}`), "pay"],
      bounds: [{ tool: "pay", path: "input.b", in: many(1_000, (at) => `${n} ${at}`) }],
    }),
  );
  const reading = readScopes(scopes, "pay");
  if (!reading) throw new Error("so many scopes are read before");
  let step = reading.next();
  let longest = 0;
  for (; !step.done; step = reading.next()) longest = Math.max(longest, step.value);
  // In units of ten microseconds.
  expect(longest).toBeLessThan(50);
  expect(step.value.of.size).toBe(Math.floor(evaluationStepsMax / 257) + 1);
});
