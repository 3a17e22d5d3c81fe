import { HoldEnd } from "@remit/proto/admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdFor, openAccount } from "../support/books.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * What of budgets takes two people where the tenant says so, and what one alone does at once.
 */

let house: House;
let ada: Record<string, string>;
let bob: Record<string, string>;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  const by = { headers: bearer(house.ownerKey) };
  const keyOf = async (name: string) =>
    bearer((await house.clients.callers.createKey({ name, roles: ["owner"] }, by)).key);
  ada = await keyOf("ada");
  bob = await keyOf("bob");
  await house.clients.tenants.updateTenant({ people: 2 }, { headers: ada });
});
afterAll(() => house.close());

/** What ada proposes. */
async function proposed(request: { method: string; message: object }) {
  const { change } = await house.clients.changes.proposeChange(
    { ...request, message: request.message as never },
    { headers: ada },
  );
  return { changeId: change?.id ?? "", digest: change?.digest ?? "", change };
}

/** Refused when asked for directly, and made when another agrees. */
async function takesTwo(method: string, message: object, direct: () => Promise<unknown>) {
  expect(await failure(direct()), method).toMatchObject({ detail: { reason: "change_needs_approval" } });
  const asked = await proposed({ method: `remit.v1.${method}`, message });
  expect((await house.clients.changes.approveChange(asked, { headers: bob })).change?.state, method).toBe("applied");
}

const document = (name: string, spec: string) => ({
  document: {
    file: "d.yaml",
    text: `apiVersion: remit/v1\nkind: Budget\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
  },
});

test("of budgets raising, thawing, no longer refusing and releasing take two; lowering, freezing and spending one", async () => {
  const { budgets } = house.clients;
  const as = { headers: ada };
  const reason = "INC-7";
  const declared = document("guarded", '{ unit: EUR, limit: "5", window: day }');
  await takesTwo("BudgetService/PutBudget", declared, () => budgets.putBudget(declared, as));
  const accountId = await openAccount(house.database, "default", { budget: "guarded" });
  for (const target of [{ budget: "guarded" }, { accountId }]) {
    const raise = { ...target, limit: { unit: "EUR", value: "9" }, reason };
    await takesTwo("BudgetService/RaiseBudget", raise, () => budgets.raiseBudget(raise, as));
    await budgets.freezeBudget({ ...target, reason }, as);
    const thaw = { ...target, reason };
    await takesTwo("BudgetService/UnfreezeBudget", thaw, () => budgets.unfreezeBudget(thaw, as));
    await budgets.lowerBudget({ ...target, limit: { unit: "EUR", value: "3" }, reason }, as);
  }
  const clear = { accountId, clearOwn: true, reason };
  await budgets.lowerBudget({ accountId, limit: { unit: "EUR", value: "1" }, reason }, as);
  await takesTwo("BudgetService/RaiseBudget", clear, () => budgets.raiseBudget(clear, as));
  expect((await budgets.getBudget({ name: "guarded" }, as)).accounts).toMatchObject([{ limit: "3", ownLimit: false }]);
  const soft = document("guarded", '{ unit: EUR, limit: "3", window: day, enforcement: soft }');
  await takesTwo("BudgetService/PutBudget", soft, () => budgets.putBudget(soft, as));
  const { session } = await openSession(house);
  const held = () => holdFor(house.database, "default", { budget: "guarded", session: session.id });
  const [first, second] = [await held(), await held()];
  await budgets.resolveHold({ holdId: first.hold, as: HoldEnd.SPENT, reason }, as);
  const release = { holdId: second.hold, as: "HOLD_END_RELEASED", reason };
  await takesTwo("BudgetService/ResolveHold", release, () =>
    budgets.resolveHold({ holdId: second.hold, as: HoldEnd.RELEASED, reason }, as),
  );
  expect((await budgets.listHolds({ budget: "guarded" }, as)).holds).toEqual([]);
  const { accounts } = await budgets.getBudget({ name: "guarded" }, as);
  expect(accounts).toMatchObject([{ limit: "3", ownLimit: false, spent: "1", held: "0" }]);
});

test("a raise that is approved after somebody else set the limit is refused: the row is no longer as it was", async () => {
  const { budgets, changes } = house.clients;
  const asked = await proposed({
    method: "remit.v1.BudgetService/RaiseBudget",
    message: { budget: "guarded", limit: { unit: "EUR", value: "50" }, reason: "sale" },
  });
  expect(asked.change?.rows).toMatchObject([{ table: "budget" }]);
  await budgets.lowerBudget(
    { budget: "guarded", limit: { unit: "EUR", value: "2" }, reason: "INC-8" },
    { headers: ada },
  );
  expect(await failure(changes.approveChange(asked, { headers: bob }))).toMatchObject({
    detail: { reason: "revision_conflict" },
  });
});
