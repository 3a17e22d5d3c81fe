import { expect, test } from "vitest";
import type { Account, AccountName, Balance } from "./account.ts";
import { createBudgets } from "./budgets.ts";

const WAIT_MS = 1_000;

function world({ accountsMax = 100, windowMs = 1_000, declared = (_: string): boolean => true } = {}) {
  const time = { storeMs: 0, upMs: 0, pauses: 0 };
  const pause = async () => void time.pauses++;
  const trips: string[][] = [];
  const held = { gate: Promise.resolve() };
  const ids = new Map<string, bigint>();
  const balance = (account: bigint): Balance => ({
    ...{ account, limit: 10n, held: 0n, posted: 0n, overage: 0n, frozen: false },
  });
  const openAt = (name: AccountName): Account => {
    const window = Math.floor(time.storeMs / windowMs);
    const text = `${name.budget} ${name.key} ${window}`;
    const id = ids.get(text) ?? BigInt(ids.size + 1);
    ids.set(text, id);
    const [opensAtMs, closesAtMs] = [window * windowMs, (window + 1) * windowMs];
    return { ...name, id, unit: "EUR", hard: true, opensAtMs, closesAtMs, balance: balance(id) };
  };
  const store = {
    async openAccounts(_tenant: string, names: readonly AccountName[]) {
      trips.push(names.map(({ budget, key }) => budget + key));
      await held.gate;
      return names.map((name) => (declared(name.budget) ? openAt(name) : null));
    },
    openAccountsThen: () => Promise.reject(new Error("nobody asks that here")),
    async balances(_tenant: string, accounts: readonly bigint[]) {
      trips.push(accounts.map(String));
      return accounts.map((account) => ({ ...balance(account), posted: 7n }));
    },
  };
  const clocks = { clock: { now: () => time.storeMs }, uptime: { now: () => time.upMs } };
  return { time, trips, held, budgets: createBudgets({ store, ...clocks, accountsMax, pause }) };
}

const name = (budget: string): AccountName => ({ budget, key: "" });

test("what is missing is opened in one trip, and what is known costs none", async () => {
  const { budgets, trips } = world();
  const opened = await budgets.accounts("t", [name("a"), name("b")], WAIT_MS);
  const again = budgets.accounts("t", [name("b"), name("a")], WAIT_MS);
  expect(again).toEqual([...opened].reverse());
  await budgets.accounts("t", [name("a"), name("c")], WAIT_MS);
  expect(trips).toEqual([["a", "b"], ["c"]]);
});

test("who asks for what is being opened shares the trip", async () => {
  const { budgets, trips } = world();
  const [one, other] = await Promise.all([
    budgets.accounts("t", [name("a"), name("b")], WAIT_MS),
    budgets.accounts("t", [name("b"), name("c")], WAIT_MS),
  ]);
  expect(trips).toEqual([["a", "b"], ["c"]]);
  expect(one[1]).toEqual(other[0]);
});

test("the same budget of two tenants is two accounts", async () => {
  const { budgets, trips } = world();
  await budgets.accounts("t", [name("a")], WAIT_MS);
  await budgets.accounts("u", [name("a")], WAIT_MS);
  expect(trips).toHaveLength(2);
});

test("an account whose window is over by the store's time is opened anew", async () => {
  const { budgets, time } = world();
  const [first] = await budgets.accounts("t", [name("a")], WAIT_MS);
  time.storeMs = 999;
  expect(budgets.accounts("t", [name("a")], WAIT_MS)).toEqual([first]);
  time.storeMs = 1_000;
  const [second] = await budgets.accounts("t", [name("a")], WAIT_MS);
  expect(second?.id).not.toBe(first?.id);
  expect(budgets.known(first?.id ?? 0n)).toBeUndefined();
});

test("one that the store says is closed is opened anew too, and one that is not declared stays unknown", async () => {
  const { budgets, trips } = world({ declared: (budget) => budget !== "gone" });
  const [first] = await budgets.accounts("t", [name("a")], WAIT_MS);
  budgets.forget(first?.id ?? 0n);
  await budgets.accounts("t", [name("a")], WAIT_MS);
  expect(await budgets.accounts("t", [name("gone")], WAIT_MS)).toEqual([null]);
  expect(await budgets.accounts("t", [name("gone")], WAIT_MS)).toEqual([null]);
  expect(trips).toEqual([["a"], ["a"], ["gone"], ["gone"]]);
});

test("what commits say of an account is known from then on, and asked for only when it is too old", async () => {
  const { budgets, trips, time } = world();
  const opened = (await budgets.accounts("t", [name("a")], WAIT_MS)) as readonly Account[];
  const account = opened[0]?.id ?? 0n;
  time.upMs = 900;
  budgets.heard([{ account, limit: 10n, held: 3n, posted: 0n, overage: 0n, frozen: false }]);
  expect(budgets.known(account)).toMatchObject({ asOfMs: 900, account: { balance: { held: 3n } } });
  time.upMs = 1_900;
  expect(budgets.fresh("t", opened, 1_000, WAIT_MS)).toBeUndefined();
  time.upMs = 1_901;
  await budgets.fresh("t", opened, 1_000, WAIT_MS);
  expect(budgets.known(account)).toMatchObject({ asOfMs: 1_901, account: { balance: { posted: 7n } } });
  expect(trips).toEqual([["a"], ["1"]]);
});

test("no more is kept than may be", async () => {
  const { budgets } = world({ accountsMax: 2 });
  const opened = await budgets.accounts("t", ["a", "b", "c"].map(name), WAIT_MS);
  expect(opened.filter((one) => one && budgets.known(one.id))).toHaveLength(2);
});

test("there is a pause after so many accounts were opened, in however many trips", async () => {
  const { budgets, time } = world();
  const openSome = (trip: number, count: number) =>
    budgets.accounts(
      "t",
      Array.from({ length: count }, (_, at) => name(`${trip} ${at}`)),
      WAIT_MS,
    );
  await openSome(1, 100);
  await openSome(2, 27);
  expect(time.pauses).toBe(0);
  await openSome(3, 1);
  expect(time.pauses).toBe(1);
  await openSome(4, 128);
  expect(time.pauses).toBe(2);
});

test("a trip that fails is made again, and one that takes too long is told", async () => {
  const { budgets, held } = world();
  held.gate = Promise.reject(new Error("away"));
  await expect(budgets.accounts("t", [name("a")], WAIT_MS)).rejects.toThrow("away");
  held.gate = new Promise(() => undefined);
  await expect(budgets.accounts("t", [name("a")], 1)).rejects.toThrow("the budgets cannot be read");
  held.gate = Promise.resolve();
  await expect(budgets.accounts("t", [name("b")], WAIT_MS)).resolves.toHaveLength(1);
});
