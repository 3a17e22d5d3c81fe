import { describe, expect, it } from "vitest";
import { exceededScope, type Scope, type ScopedCall } from "./scope.ts";

const call: ScopedCall = {
  tool: "payments.transfer",
  toolLabels: { tier: "1" },
  input: { amount: 50, user: "mia", to: { country: "DE" }, path: "/workspace/a" },
  principal: "mia",
  now: "2026-03-01T10:00:00Z",
};
const steps = () => ({ steps: 1000 });
const exceeded = (scope: Scope, over: Partial<ScopedCall> = {}) =>
  exceededScope([scope], { ...call, ...over }, steps())?.message;
const bound = (limit: object, path = "input.amount", over: Partial<ScopedCall> = {}) =>
  exceeded({ tools: ["*"], bounds: [{ tool: "payments.*", path, ...limit }] }, over);

describe("a scope", () => {
  it("permits the tools it names, and no tools by default", () => {
    expect(exceeded({ tools: ["payments.*"] })).toBeUndefined();
    expect(exceeded({ tools: ["orders.*", "payments.transfer"] })).toBeUndefined();
    expect(exceeded({ tools: ["orders.*"] })).toBe("the tool payments.transfer is outside the scope");
    expect(exceeded({ tools: [] })).toBeDefined();
  });

  it("permits nothing when there is none", () => {
    expect(exceededScope([], call, steps())?.message).toBe("the session has no scope");
  });

  it("is exceeded when one of several is", () => {
    const scopes: Scope[] = [{ tools: ["*"] }, { tools: ["payments.*"] }, { tools: ["orders.*"] }];
    expect(exceededScope(scopes.slice(0, 2), call, steps())).toBeUndefined();
    expect(exceededScope(scopes, call, steps())).toBeDefined();
  });

  it("wants the labels of the tool", () => {
    expect(exceeded({ tools: ["*"], labels: { tier: "1" } })).toBeUndefined();
    expect(exceeded({ tools: ["*"], labels: { tier: "2" } })).toBe("the tool does not carry the label tier");
    expect(exceeded({ tools: ["*"], labels: { constructor: "x" } })).toBeDefined();
  });

  it("expires on the moment", () => {
    const scope: Scope = { tools: ["*"], expiresAt: "2026-03-01T11:00:00+01:00" };
    expect(exceeded(scope, { now: "2026-03-01T09:59:59.999999999Z" })).toBeUndefined();
    expect(exceeded(scope, { now: "2026-03-01T10:00:00Z" })).toBe("the scope has expired");
    expect(exceeded(scope, { now: "no time" })).toBe("the scope has expired");
    expect(exceeded({ tools: ["*"], expiresAt: "never" })).toBe("the scope has expired");
  });
});

describe("a bound", () => {
  it.each([
    [{ max: 50 }, true],
    [{ max: 49.99 }, false],
    [{ min: 50 }, true],
    [{ min: 50.01 }, false],
    [{ in: [1, 50] }, true],
    [{ in: ["50"] }, false],
    [{ equals: 50 }, true],
    [{ equals: "50" }, false],
    [{ prefix: "5" }, false],
  ])("%j on 50 holds: %s", (limit, holds) => expect(bound(limit) === undefined).toBe(holds));

  it.each([
    [{ equals: "principal.id" }, "input.user", true],
    [{ equals: "anna" }, "input.user", false],
    [{ in: ["DE"] }, "input.to.country", true],
    [{ in: ["FR"] }, "input.to.country", false],
    [{ prefix: "/workspace/" }, "input.path", true],
    [{ prefix: "/etc/" }, "input.path", false],
  ])("%j on %s holds: %s", (limit, path, holds) => expect(bound(limit, path) === undefined).toBe(holds));

  it.each([
    ["is missing", "input.fee"],
    ["lies below what is no map", "input.amount.value"],
    ["is inherited", "input.constructor"],
    ["is not in the input", "context.amount"],
    ["is the whole input", "input"],
  ])("is exceeded when its argument %s", (_, path) => expect(bound({ max: 100 }, path)).toBeDefined());

  it("is exceeded by an argument of another type, and by having no limit", () => {
    expect(bound({ max: 100 }, "input.amount", { input: { amount: "50" } })).toBeDefined();
    expect(bound({ max: 100 }, "input.amount", { input: { amount: null } })).toBeDefined();
    expect(bound({ equals: "principal.id" }, "input.user", { input: { user: ["mia"] } })).toBeDefined();
    expect(bound({})).toBeDefined();
  });

  it.each([
    ["/workspace", true],
    ["/workspace/a/../b", true],
    ["/workspace/../etc/passwd", false],
    ["/workspace2/a", false],
    ["/workspace/%2e%2e/etc", false],
    ["/workspace/．．/etc", false],
    ["/workspace\\..\\etc", false],
    ["workspace/a", false],
    ["~/a", false],
    ["", false],
  ])("within the directory /workspace holds for %j: %s", (path, holds) => {
    for (const prefix of ["/workspace", "/workspace/", "/etc/../workspace"]) {
      expect(bound({ prefix }, "input.path", { input: { path } }) === undefined).toBe(holds);
    }
  });

  it.each([
    ["https://api.example/v1/items", true],
    ["https://api.example/v1/a..b/..c?x=/../", false],
    ["https://api.example/v1/a..b/..c", true],
    ["https://api.example/v1/../admin", false],
    ["https://api.example/v1/a/..", false],
    ["https://api.example/v1/..?x", false],
    ["https://api.example/v1/..\\..\\admin", false],
    ["https://api.example/v1/.%2E/admin", false],
    ["https://api.example/v1/%2e%2e%2fadmin", false],
    ["https://api.example/v1/x%5c..%5cadmin", false],
    ["https://api.example/v1/.\t./admin", false],
    ["https://api.example/v1/..;/admin", false],
    ["https://api.example/v1/..%3Bx=1/admin", false],
    ["https://api.example/v1/%252e%252e/admin", false],
    ["https://api.example/v1/x%25252F..%2525252Fadmin", false],
    ["https://api.example/v1/a;b/%25", true],
    ["https://api.example/v2/", false],
  ])("behind the beginning https://api.example/v1/ holds for %j: %s", (path, holds) => {
    expect(bound({ prefix: "https://api.example/v1/" }, "input.path", { input: { path } }) === undefined).toBe(holds);
    expect(bound({ prefix: "https:" }, "input.path", { input: { path } })).toBeUndefined();
  });

  it("goes through the items of a list at a star, and through nothing that is none", () => {
    const input = { items: { "*": { price: 1 }, "0": { price: 1000 } } };
    expect(bound({ max: 5 }, "input.items.*.price", { input } as never)).toBeDefined();
  });

  it("lets nothing pass where its directory is none", () => {
    expect(bound({ prefix: "/a/%2e%2e" }, "input.path", { input: { path: "/a/%2e%2e" } })).toBeDefined();
  });

  it.each([
    ["12.50", "12.5", true],
    ["12.50", "12.500000000000000001", false],
    ["9007199254740993", "9007199254740993", true],
    ["9007199254740993", "9007199254740994", false],
    ["12.50", 12.5, true],
    ["12.50", 12.51, false],
    ["12.50", "1e1", false],
    ["12.50", "-1", true],
    ["12.50", true, false],
    ["a lot", "1", false],
  ])("at most the decimal %j holds for %j: %s", (max, amount, holds) =>
    expect(bound({ max }, "input.amount", { input: { amount } }) === undefined).toBe(holds),
  );

  it("holds of every item of a list, of which there must be one", () => {
    const items = (...prices: unknown[]) =>
      bound({ max: 5 }, "input.items.*.price", { input: { items: prices.map((price) => ({ price })) } as never });
    expect([items(1, 5), items(1, 6), items(1, "2"), items()].map((message) => message === undefined)).toEqual([
      ...[true, false, false, false],
    ]);
    expect(bound({ max: 5 }, "input.items.*.price", { input: { items: { price: 1 } } })).toBeDefined();
  });

  it("concerns only the tools its glob names", () => {
    expect(exceeded({ tools: ["*"], bounds: [{ tool: "orders.*", path: "input.amount", max: 1 }] })).toBeUndefined();
  });

  it("tells the model which bound, and people its limit", () => {
    const scope: Scope = { tools: ["*"], bounds: [{ tool: "*", path: "input.amount", max: 10 }] };
    expect(exceededScope([scope], call, steps())).toEqual({
      message: "input.amount exceeds its bound max",
      detail: "input.amount exceeds its bound max (at most 10)",
    });
  });

  it("tells the limit to everybody where its scope discloses it", () => {
    const scope: Scope = { tools: ["*"], bounds: [{ tool: "*", path: "input.amount", max: 10 }], disclose: true };
    expect(exceededScope([scope], call, steps())?.remedy).toBe("at most 10");
    expect(exceededScope([{ tools: ["orders.*"], disclose: true }], call, steps())?.remedy).toBe("orders.*");
  });

  it("takes steps from the evaluation, and is exceeded when there are none left", () => {
    const scope: Scope = { tools: ["*"], bounds: [{ tool: "*", path: "input.path", prefix: "/workspace" }] };
    const meter = { steps: 1000 };
    const path = (chars: number) => ({ ...call, input: { path: `/workspace/${"a".repeat(chars)}` } });
    expect(exceededScope([scope, scope], path(100), meter)).toBeUndefined();
    expect(meter.steps).toBe(1000 - 2 * (2 + 4 + 55));
    expect(exceededScope([scope], path(3000), { steps: 1000 })).toBeDefined();
    const many: Scope = { tools: ["x", "*"] };
    expect(exceededScope([many, many, many], call, { steps: 5 })?.message).toContain("take too long");
  });
});
