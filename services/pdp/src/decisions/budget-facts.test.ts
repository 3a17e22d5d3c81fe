import type { BudgetDocument } from "@remit/engine";
import { expect, test } from "vitest";
import type { Account, AccountName } from "../budgets/index.ts";
import { limits } from "../foundation/limits.ts";
import { createBudgetFacts } from "./budget-facts.ts";

const many = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at));

const budgetAt = (at: number): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } },
  spec: { unit: "EUR", limit: "1", window: "day", owner: "tenant", enforcement: "hard" },
});

/** What is told of so many budgets of a tenant, and how many names each trip asked for. */
async function told(declared: number, reads: ReadonlySet<string> | "every") {
  const trips: number[] = [];
  const open = (name: AccountName): Account => ({
    ...{ ...name, id: 1n, unit: "EUR", hard: true, opensAtMs: 0, closesAtMs: 1 },
    balance: {
      account: 1n,
      limit: BigInt(name.budget.slice(1)) * 1_000_000n,
      held: 0n,
      posted: 0n,
      overage: 0n,
      frozen: false,
    },
  });
  const read = createBudgetFacts({
    accounts: async (_tenant, names) => {
      trips.push(names.length);
      return names.map((name) => (name.budget === "b7" ? null : open(name)));
    },
    known: () => undefined,
    fresh: () => undefined,
  });
  const documents = many(declared, budgetAt);
  const budgets = new Map(documents.map((document) => [document.metadata.name, { document, digest: "" }]));
  const snapshot = { tenant: "t", budgets, tools: new Map(), agents: new Map(), compiled: { budgets: reads } };
  const session = { id: "s", agent: "clerk", ancestors: [], principal: { id: "mia" } };
  const facts = await read(
    snapshot as never,
    { session } as never,
    { tool: "pay", input: { value: {} } } as never,
    1_000,
  );
  return { facts, trips };
}

const named = (count: number) => new Set(many(count, (at) => `b${at}`));

test("very many budgets that conditions name are told of part by part, but for those that are not declared", async () => {
  const { facts = {}, trips } = await told(1_000, named(1_010));
  expect(Math.max(...trips)).toBeLessThanOrEqual(128);
  expect(trips.reduce((sum, one) => sum + one, 0)).toBe(1_000);
  expect(Object.keys(facts)).toEqual([...named(1_000)].filter((name) => name !== "b7"));
  expect(facts.b999).toEqual({ unit: "EUR", limit: "999", spent: "0", remaining: "999" });
});

test("few are told of in one trip", async () => {
  const { facts = {}, trips } = await told(1_000, named(100));
  expect(trips).toEqual([100]);
  expect(Object.keys(facts)).toHaveLength(99);
});

test("a policy that may look at every budget is told of none where a call cannot be charged to as many", async () => {
  const { callAccountsMax: most } = limits;
  expect(Object.keys((await told(most, "every")).facts ?? {})).toHaveLength(most - 1);
  expect(await told(most + 1, "every")).toEqual({ facts: undefined, trips: [] });
});
