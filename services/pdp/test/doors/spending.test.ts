import { Effect } from "@remit/proto/common";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";
import { Outcome, spendingIn } from "../support/spending.ts";

let house: House;
let spend: ReturnType<typeof spendingIn>;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  spend = spendingIn(house);
  await spend.put("Tool", "payments.transfer", {
    risk: "write",
    cost: [{ unit: "EUR", expression: 'amount(string(input.amount), "EUR")' }],
    inputSchema: { type: "object", properties: { amount: { type: "number" }, to: { type: "string", maxLength: 64 } } },
  });
  ({ headers } = await spend.session());
});

afterEach(async () => {
  expect(await spend.differences()).toEqual([]);
});

afterAll(() => house.close());

const eur = (value: string) => [{ unit: "EUR", value }];

test("what a call costs is held for it, and settled by what it is reported to have cost", async () => {
  await spend.budget("first", { owner: { tool: "invoices.*" } });
  const estimate = eur("4");
  const more = { estimate, supportedConstraints: ["timeout", "maxOutputBytes"] };
  const allowed = await spend.decide(headers, "invoices.read", {}, more);
  expect(allowed).toMatchObject({
    effect: Effect.ALLOW,
    holds: [{ budget: "first", amount: { unit: "EUR", value: "4" } }],
  });
  expect(await spend.books("first")).toMatchObject([{ held: 4, posted: 0, overage: 0 }]);
  await spend.report(headers, allowed.decisionId, Outcome.SUCCEEDED, { actual: eur("2.5") });
  expect(await spend.books("first")).toMatchObject([{ held: 0, posted: 2.5, overage: 0 }]);
  const refused = await spend.decide(headers, "invoices.read", {}, { ...more, estimate: eur("7.500001") });
  expect(refused).toMatchObject({ effect: Effect.DENY, holds: [], reason: { code: "budget_exhausted" } });
  expect(refused.reason?.detail).toBe("budget first: 7.500001 EUR needed, 7.5 of 10 EUR left");
});
