import { expect, test } from "vitest";
import { evaluationStepsMax } from "../cel/frame.ts";
import { finish } from "../compile/steps.ts";
import type { Bound } from "./limit.ts";
import { exceededScope, type Scope, type ScopedCall } from "./scope.ts";
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
  expect(longest).toBeLessThan(20);
  expect(step.value.of.size).toBe(Math.floor(evaluationStepsMax / 257) + 1);
});
