import type { BudgetDocument } from "@remit/engine";
import { expect, test } from "vitest";
import { requireSameBudget, seriesOf } from "./budget-fixed.ts";

type Spec = Partial<BudgetDocument["spec"]>;

const budget = (spec: Spec = {}, metadata: object = {}): BudgetDocument => ({
  apiVersion: "remit/v1",
  kind: "Budget",
  metadata: { name: "refunds", ...metadata },
  spec: { unit: "EUR", limit: "10", window: "day", owner: { team: "a" }, enforcement: "hard", ...spec },
});

test.each<[string, Spec]>([
  ["unit", { unit: "USD" }],
  ["window", { window: "week" }],
  ["timeZone", { timeZone: "Europe/Berlin" }],
  ["owner", { owner: { team: "b" } }],
  ["owner", { owner: "tenant" }],
  ["per", { per: ["principal"] }],
])("the %s of a budget is fixed once it is declared", (field, spec) => {
  const change = () => requireSameBudget(budget(), budget(spec));
  expect(change).toThrow(`the ${field} of the budget refunds is`);
  expect(change).toThrow(expect.objectContaining({ reason: "request_invalid" }));
  expect(seriesOf(budget(spec))).not.toBe(seriesOf(budget()));
});

test("the limit of a budget, its enforcement and what is said about it may change, and the word for UTC be left out", () => {
  for (const next of [
    budget({ limit: "1" }),
    budget({ enforcement: "soft" }),
    budget({ timeZone: "UTC", per: [] }),
    budget({}, { owner: "finance", description: "for refunds" }),
  ]) {
    expect(() => requireSameBudget(budget(), next)).not.toThrow();
    expect(seriesOf(next)).toBe(seriesOf(budget()));
  }
  expect(() => requireSameBudget(undefined, budget({ unit: "USD" }))).not.toThrow();
});
