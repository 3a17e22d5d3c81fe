import { HoldEnd } from "@remit/proto/admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { holdFor, openAccount, setBooks } from "../support/books.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * What operators see of budgets and do about them. Books are written by hand here: how calls move them is another matter.
 */

const TENANT = "default";

let house: House;
let headers: { authorization: string };

const declare = (name: string, spec: string) =>
  house.clients.budgets.putBudget(
    {
      document: {
        file: "b.yaml",
        text: `apiVersion: remit/v1\nkind: Budget\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
      },
    },
    { headers },
  );

/** A budget of its own with books in its current window. */
async function budgetOf(name: string, books: Parameters<typeof setBooks>[2] = {}, more = "") {
  await declare(name, `{ unit: EUR, limit: "100", window: day, timeZone: Europe/Berlin${more} }`);
  const account = await openAccount(house.database, TENANT, { budget: name });
  await setBooks(house.database, account, books);
  return account;
}

const reason = "INC-7";
const eur = (value: string) => ({ unit: "EUR", value });
const shown = async (name: string) => (await house.clients.budgets.getBudget({ name }, { headers })).budget;
const account = async (name: string) =>
  (await house.clients.budgets.getBudget({ name }, { headers })).accounts.find(({ key }) => key === "");

beforeAll(async () => {
  house = await startHouse();
  headers = { authorization: `Bearer ${house.ownerKey}` };
  await furnish(house);
});
afterAll(() => house.close());

test("a budget is shown with what is spent, held and free of its window, and how far that is", async () => {
  const id = await budgetOf("shown", { held: 10, posted: 55, overage: 5 });
  const { budget, accounts } = await house.clients.budgets.getBudget({ name: "shown" }, { headers });
  const books = { unit: "EUR", limit: "100", spent: "60", overage: "5", held: "10", free: "30", over: "0" };
  expect(accounts).toMatchObject([{ ...books, accountId: id, budget: "shown", limitUsedBasisPoints: 7000 }]);
  expect(budget).toMatchObject({ name: "shown", enforced: true, accounts: 1n, account: { ...books, key: "" } });
  const { opensAt, closesAt, windowOverBasisPoints = 0 } = accounts[0] ?? {};
  const hours = (Number(closesAt?.seconds) - Number(opensAt?.seconds)) / 3600;
  expect([23, 24, 25]).toContain(hours);
  expect(windowOverBasisPoints).toBeLessThanOrEqual(10_000);
  const { budgets } = await house.clients.budgets.listBudgets({}, { headers });
  expect(budgets.find(({ name }) => name === "shown")).toMatchObject({ account: books, accounts: 1n });
});

test("a budget of which nothing was charged has no account, and one that never closes no end", async () => {
  await declare("untouched", '{ unit: tokens, limit: "1000", window: lifetime }');
  expect((await shown("untouched"))?.account).toBeUndefined();
  expect(await shown("untouched")).toMatchObject({ accounts: 0n, limit: { unit: "tokens", value: "1000" } });
  await openAccount(house.database, TENANT, { budget: "untouched" });
  const { account: only } = (await shown("untouched")) ?? {};
  expect(only).toMatchObject({ spent: "0", free: "1000", windowOverBasisPoints: 0 });
  expect(only?.closesAt).toBeUndefined();
  expect(only?.opensAt).toBeDefined();
});

test("accounts of a keyed budget come page by page, the fullest first, by what their keys begin with and how full they are", async () => {
  await declare("keyed", '{ unit: calls, limit: "10", window: day, per: [principal, input.customer_id] }');
  for (const [customer, posted] of [
    ["c-1", 9],
    ["c-2", 3],
    ["d-1", 8],
    ["d-2", 0],
  ] as const) {
    const key = JSON.stringify({ per: { "input.customer_id": customer, principal: "ada" } });
    const id = await openAccount(house.database, TENANT, { budget: "keyed", key });
    await setBooks(house.database, id, { posted });
  }
  const { budgets } = house.clients;
  const spent = (answer: { accounts: readonly { spent: string }[] }) => answer.accounts.map((one) => one.spent);
  const first = await budgets.listAccounts({ budget: "keyed", pageSize: 3 }, { headers });
  expect(spent(first)).toEqual(["9", "8", "3"]);
  const rest = await budgets.listAccounts(
    { budget: "keyed", pageSize: 3, pageToken: first.nextPageToken },
    { headers },
  );
  expect(spent(rest)).toEqual(["0"]);
  expect(rest.nextPageToken).toBe("");
  expect(spent(await budgets.listAccounts({ budget: "keyed", keyPrefix: "d-" }, { headers }))).toEqual(["8", "0"]);
  expect(spent(await budgets.listAccounts({ budget: "keyed", keyPrefix: "ad" }, { headers }))).toHaveLength(4);
  expect(spent(await budgets.listAccounts({ budget: "keyed", keyPrefix: "%" }, { headers }))).toEqual([]);
  const full = { budget: "keyed", usedBasisPointsMin: 8000 };
  expect(spent(await budgets.listAccounts(full, { headers }))).toEqual(["9", "8"]);
  expect(await shown("keyed")).toMatchObject({ accounts: 4n, account: { spent: "9", key: "" } });
});

test("a value that Postgres cannot hold as text is found as any other, and hides none of the others", async () => {
  await declare("unprintable", '{ unit: EUR, limit: "10", window: lifetime, per: [input.customer] }');
  const key = (customer: string) => JSON.stringify({ per: { "input.customer": customer } });
  for (const customer of ["c-1", "c-\u0000", "c-\\u0000", "d"]) {
    await openAccount(house.database, TENANT, { budget: "unprintable", key: key(customer) });
  }
  const found = async (keyPrefix: string) => {
    const { accounts } = await house.clients.budgets.listAccounts({ budget: "unprintable", keyPrefix }, { headers });
    return accounts.map((one) => one.key);
  };
  expect(await found("c-")).toEqual([key("c-\\u0000"), key("c-\u0000"), key("c-1")]);
  expect(await found("d")).toEqual([key("d")]);
  expect(await failure(found("c-\u0000"))).toMatchObject({ code: "InvalidArgument", detail: { field: "key_prefix" } });
});

test("a whole budget is raised by another declaration, and what is applied later sets its own limit again", async () => {
  const { budgets } = house.clients;
  await budgetOf("raised", { posted: 100 });
  const done = await budgets.raiseBudget({ budget: "raised", limit: eur("250.5"), reason }, { headers });
  expect(done).toMatchObject({ before: eur("100"), account: { limit: "250.5", free: "150.5", ownLimit: false } });
  expect(await shown("raised")).toMatchObject({ limit: eur("250.5"), timeZone: "Europe/Berlin" });
  // The same again changes nothing; and the document of before is a difference again.
  const again = await budgets.raiseBudget({ budget: "raised", limit: eur("250.50"), reason }, { headers });
  expect(again.revision).toBe(done.revision);
  const dry = await declare("raised", '{ unit: EUR, limit: "100", window: day, timeZone: Europe/Berlin }');
  expect(dry).toMatchObject({ change: 3, budget: { limit: eur("100") } });
  expect(await account("raised")).toMatchObject({ limit: "100", free: "0" });
});

test("one account is raised and lowered alone: its limit is its own from then on", async () => {
  const { budgets } = house.clients;
  const accountId = await budgetOf("alone", { posted: 40 });
  await budgets.raiseBudget({ accountId, limit: { unit: "", value: "120" }, reason }, { headers });
  await budgets.lowerBudget({ budget: "alone", limit: eur("50"), reason }, { headers });
  expect(await account("alone")).toMatchObject({ limit: "120", ownLimit: true, free: "80" });
  expect(await shown("alone")).toMatchObject({ limit: eur("50") });
  const lowered = await budgets.lowerBudget({ accountId, limit: eur("30"), reason, expected: "120" }, { headers });
  expect(lowered).toMatchObject({ before: eur("120"), accountsOver: 1n, over: [{ over: "10", free: "0" }] });
});

test("an account's own limit is taken away again: the budget's binds it from then on, and what raises is not lowered by", async () => {
  const { budgets } = house.clients;
  const accountId = await budgetOf("cleared", { posted: 30 });
  const clear = { accountId, clearOwn: true, reason };
  expect(await budgets.raiseBudget(clear, { headers })).toMatchObject({
    before: eur("100"),
    account: { ownLimit: false },
  });
  await budgets.lowerBudget({ accountId, limit: eur("40"), reason }, { headers });
  expect((await failure(budgets.lowerBudget(clear, { headers }))).detail).toMatchObject({
    ...{ field: "limit.value", fix: "ask RaiseBudget for this" },
  });
  const cleared = await budgets.raiseBudget(clear, { headers });
  expect(cleared).toMatchObject({ before: eur("40"), account: { limit: "100", ownLimit: false, free: "70" } });
  await budgets.raiseBudget({ budget: "cleared", limit: eur("200"), reason }, { headers });
  expect(await account("cleared")).toMatchObject({ limit: "200", ownLimit: false, free: "170" });
  await budgets.raiseBudget({ accountId, limit: eur("300"), reason }, { headers });
  const lowered = await budgets.lowerBudget({ ...clear, expected: "300" }, { headers });
  expect(lowered).toMatchObject({ before: eur("300"), account: { limit: "200", ownLimit: false } });
  for (const wrong of [
    { ...clear, limit: eur("5") },
    { budget: "cleared", clearOwn: true, reason },
    { ...clear, expected: "7" },
  ]) {
    await expect(budgets.raiseBudget(wrong, { headers })).rejects.toThrow();
  }
});

test("a limit below what is spent and held says what is over, since when calls are refused and when it comes back", async () => {
  const { budgets } = house.clients;
  const accountId = await budgetOf("lowered", { held: 20, posted: 50 });
  const { over, accountsOver, refusedSince } = await budgets.lowerBudget(
    { budget: "lowered", limit: eur("60"), reason },
    { headers },
  );
  expect(accountsOver).toBe(1n);
  expect(over).toMatchObject([{ accountId, over: "10", free: "0", spent: "50", held: "20", limit: "60" }]);
  expect(over[0]?.closesAt).toBeDefined();
  expect(refusedSince).toBeDefined();
  await budgetOf("lowered_soft", { posted: 50 }, ", enforcement: soft");
  const soft = await budgets.lowerBudget({ budget: "lowered_soft", limit: eur("0"), reason }, { headers });
  expect(soft).toMatchObject({ accountsOver: 1n, over: [{ over: "50" }] });
  expect(soft.refusedSince).toBeUndefined();
});

test("a budget, and one account, are frozen and thawed, each once, with who did it and why", async () => {
  const { budgets } = house.clients;
  const accountId = await budgetOf("frozen");
  const first = await budgets.freezeBudget({ budget: "frozen", reason }, { headers });
  expect(first).toMatchObject({ frozen: true, freeze: { reason, by: { name: "owner" } } });
  const again = await budgets.freezeBudget({ budget: "frozen", reason: "another" }, { headers });
  expect(again).toMatchObject({ frozen: false, freeze: { reason } });
  expect(await shown("frozen")).toMatchObject({ freeze: { reason } });
  expect((await account("frozen"))?.freeze).toBeUndefined();
  await budgets.freezeBudget({ accountId, reason: "this one" }, { headers });
  expect(await account("frozen")).toMatchObject({ freeze: { reason: "this one", by: { name: "owner" } } });
  expect(await budgets.unfreezeBudget({ budget: "frozen", reason }, { headers })).toMatchObject({
    ...{ unfrozen: true, freeze: { reason } },
  });
  expect(await budgets.unfreezeBudget({ budget: "frozen", reason }, { headers })).toMatchObject({ unfrozen: false });
  expect(await account("frozen")).toMatchObject({ freeze: { reason: "this one" } });
  await budgets.unfreezeBudget({ accountId, reason }, { headers });
  expect((await account("frozen"))?.freeze).toBeUndefined();
});

test("holds are listed by budget, session, agent, age and whether they wait for an approval", async () => {
  const { budgets } = house.clients;
  await declare("held", '{ unit: EUR, limit: "100", window: day }');
  const { session } = await openSession(house);
  const of = { budget: "held", session: session.id };
  const { hold, account: accountId } = await holdFor(house.database, TENANT, { ...of, amount: 7 });
  const waiting = await holdFor(house.database, TENANT, { ...of, pending: true });
  const list = async (asked: object) =>
    (await budgets.listHolds(asked, { headers })).holds.map(({ holdId }) => holdId).sort();
  const both = [hold, waiting.hold].sort();
  expect(await list({ budget: "held" })).toEqual(both);
  expect(await list({ sessionId: session.id })).toEqual(both);
  expect(await list({ budget: "held", agent: "clerk" })).toEqual(both);
  expect(await list({ budget: "held", agent: "nobody" })).toEqual([]);
  expect(await list({ budget: "held", pending: true })).toEqual([waiting.hold]);
  expect(await list({ budget: "held", pending: false })).toEqual([hold]);
  expect(await list({ budget: "held", olderThan: { seconds: 3600n } })).toEqual([]);
  const page = await budgets.listHolds({ budget: "held", pageSize: 1 }, { headers });
  expect(page.holds).toHaveLength(1);
  expect(await list({ budget: "held", pageToken: page.nextPageToken })).toHaveLength(1);
  const { holds } = await budgets.listHolds({ budget: "held", pending: false }, { headers });
  expect(holds).toMatchObject([
    { sessionId: session.id, agent: "clerk", amounts: [{ budget: "held", accountId, unit: "EUR", amount: "7" }] },
  ]);
  expect(Number(holds[0]?.until?.seconds)).toBeGreaterThan(Number(holds[0]?.since?.seconds));
});

test("a hold is resolved once, as spent or as released, and told in an entry of its own", async () => {
  const { budgets } = house.clients;
  await declare("resolved", '{ unit: EUR, limit: "100", window: day }');
  const { session } = await openSession(house);
  const of = { budget: "resolved", session: session.id };
  const spent = await holdFor(house.database, TENANT, { ...of, amount: 7 });
  const released = await holdFor(house.database, TENANT, { ...of, amount: 3 });
  const pending = await holdFor(house.database, TENANT, { ...of, amount: 2, pending: true });
  const resolve = (holdId: string, as: HoldEnd) => budgets.resolveHold({ holdId, as, reason }, { headers });
  expect(await resolve(spent.hold, HoldEnd.SPENT)).toMatchObject({ hold: { amounts: [{ amount: "7" }] } });
  expect(await account("resolved")).toMatchObject({ spent: "7", held: "5" });
  await resolve(released.hold, HoldEnd.RELEASED);
  expect(await failure(resolve(pending.hold, HoldEnd.SPENT))).toMatchObject({ detail: { field: "as" } });
  await resolve(pending.hold, HoldEnd.RELEASED);
  expect(await account("resolved")).toMatchObject({ spent: "7", held: "0", free: "93" });
  expect(await failure(resolve(spent.hold, HoldEnd.SPENT))).toMatchObject({
    ...{ code: "NotFound", detail: { reason: "hold_unknown", field: "hold_id" } },
  });
  const { calls } = await house.clients.ledger.listAdminCalls(
    { changesOnly: true, method: "remit.v1.BudgetService/ResolveHold" },
    { headers },
  );
  expect(calls.map(({ body }) => (body as { what?: { as?: string } } | undefined)?.what?.as)).toEqual([
    "released",
    "released",
    "spent",
  ]);
});

test("the books are verified against the records: what was written past them is named", async () => {
  await using own = await startHouse();
  const by = { headers: { authorization: `Bearer ${own.ownerKey}` } };
  expect(await own.clients.budgets.verifyBudgets({}, by)).toMatchObject({ differences: [], differencesFound: 0n });
  const text =
    'apiVersion: remit/v1\nkind: Budget\nmetadata: { name: b }\nspec: { unit: EUR, limit: "9", window: day }\n';
  await own.clients.budgets.putBudget({ document: { file: "b", text } }, by);
  const id = await openAccount(own.database, TENANT, { budget: "b" });
  expect(await own.clients.budgets.verifyBudgets({}, by)).toMatchObject({ accounts: 1n, differencesFound: 0n });
  await setBooks(own.database, id, { held: 2, posted: 3 });
  expect(await own.clients.budgets.verifyBudgets({}, by)).toMatchObject({
    differencesFound: 3n,
    differences: [
      { accountId: id, budget: "b", column: "held", books: "2", records: "0" },
      { column: "holds", books: "2", records: "0" },
      { column: "spent", books: "3", records: "0" },
    ],
  });
});
