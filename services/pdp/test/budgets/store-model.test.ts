import fc from "fast-check";
import { expect, test } from "vitest";
import type { Charge, NewRecord } from "../../src/ledger/index.ts";
import { balanceOf, type Committed, commit, emptyStore, openAccount, overdue, type StoreState } from "./store-model.ts";
import { storeRules } from "./store-rules.ts";

const HOUR_MS = 3_600_000;
const LIMIT = 100n;

function house(limit = LIMIT, rules = storeRules): StoreState {
  const state = emptyStore(rules);
  state.budgets.set("t/day", { tenant: "t", name: "day", limit, frozen: false });
  const window = { opensAtMs: 0, closesAtMs: HOUR_MS };
  openAccount(state, { tenant: "t", budget: "day", key: "", unit: "EUR", hard: true, ownLimit: null, ...window });
  return state;
}

const record = (id: string, key: number, charge?: Charge): NewRecord => ({
  ...{ id, tenant: "t", session: "s", sessionDay: "2026-11-21", kind: "decision", securityRevision: 0n },
  key: new Uint8Array(16).fill(key),
  ...{ request: new Uint8Array(32), digest: new Uint8Array(32), body: new Uint8Array(2) },
  ...(charge && { charge }),
});

const taking = (held: bigint, account = 1n): Charge => ({
  moves: [{ account, held, posted: 0n, overage: 0n }],
  hold: { step: "take", expiresAtMs: 60_000, pending: false },
});
const ending = (hold: string, held: bigint, posted: bigint, overage = 0n): Charge => ({
  moves: [{ account: 1n, held: -held, posted, overage }],
  hold: { step: "end", hold, decision: hold },
});

const at = (nowMs: number, base = 0n) => ({ epoch: 1n, base, nowMs });
function left(committed: Committed, id: string): string {
  if (committed.failed !== undefined) return committed.failed;
  const out = committed.left.get(id);
  if (!out) return "inserted";
  return out.why === "short" ? out.shorts.map(({ why }) => why).join() : out.why;
}

test("what does not fit is exhausted, and what would have fitted but for others of its batch is crowded", () => {
  const state = house();
  const batch = [record("a", 1, taking(60n)), record("b", 2, taking(40n)), record("c", 3, taking(101n))];
  const told = commit(state, [...batch, record("d", 4, taking(0n))], at(1));
  expect(batch.map(({ id }) => left(told, id))).toEqual(["inserted", "inserted", "exhausted"]);
  // What never fits alone counts for nobody, and what lost its key had counted.
  const beside = commit(house(), [record("c", 3, taking(101n)), record("a", 1, taking(60n))], at(1));
  expect(left(beside, "a")).toBe("inserted");
  const busy = house();
  commit(busy, [record("a", 1, taking(30n))], at(1));
  const crowd = commit(busy, [record("a2", 1, taking(50n)), record("b", 2, taking(60n))], at(1, 1n));
  expect([left(crowd, "a2"), left(crowd, "b")]).toEqual(["taken", "crowded"]);
});

test("what would bring an account over its alarm is unusual, what its limit does not let in is exhausted all the same", () => {
  const tell = (rules = storeRules) => {
    const state = house(LIMIT, rules);
    const [account] = state.accounts.values();
    if (account) account.alarm = 50n;
    const one = commit(
      state,
      [record("a", 1, taking(51n)), record("b", 2, taking(101n)), record("c", 3, taking(40n))],
      at(1),
    );
    const two = commit(state, [record("d", 4, taking(11n)), record("e", 5, ending("c", 40n, 20n))], at(1, 3n));
    const three = commit(state, [record("f", 6, taking(20n)), record("g", 7, taking(11n))], at(1, 9n));
    return [...["a", "b", "c"].map((id) => left(one, id)), left(two, "d"), ...["f", "g"].map((id) => left(three, id))];
  };
  // What fits once its batch is done is asked again.
  expect(tell()).toEqual(["unusual", "exhausted", "inserted", "crowded", "inserted", "unusual"]);
  expect(tell({ ...storeRules, alarms: "not_asked" }).slice(0, 2)).toEqual(["inserted", "exhausted"]);
});

test("a window that is over, a freeze, and an account that is not there let nothing in, and a settlement always", () => {
  const state = house();
  commit(state, [record("a", 1, taking(60n))], at(1));
  expect(left(commit(state, [record("b", 2, taking(1n))], at(HOUR_MS)), "b")).toBe("closed");
  expect(left(commit(state, [record("c", 3, taking(1n, 7n))], at(1)), "c")).toBe("closed");
  state.budgets.set("t/day", { tenant: "t", name: "day", limit: LIMIT, frozen: true });
  expect(left(commit(state, [record("d", 4, taking(1n))], at(1)), "d")).toBe("frozen");
  expect(left(commit(state, [record("e", 5, ending("a", 60n, 60n, 7n))], at(HOUR_MS)), "e")).toBe("inserted");
  const [account] = state.accounts.values();
  expect(account && balanceOf(state, account)).toMatchObject({
    held: 0n,
    posted: 60n,
    overage: 7n,
  });
});

test("the loser of a key moves nothing, and who comes too late for a hold is told that it is gone, or to come again", () => {
  const state = house();
  commit(state, [record("a", 1, taking(60n))], at(1));
  const told = commit(state, [record("a2", 1, taking(10n)), record("b", 2, ending("a", 60n, 5n))], at(1, 1n));
  expect([left(told, "a2"), left(told, "b")]).toEqual(["taken", "inserted"]);
  expect(left(commit(state, [record("c", 3, ending("a", 60n, 5n))], at(1, 2n)), "c")).toBe("gone");
  commit(state, [record("d", 4, taking(10n))], at(1, 2n));
  const twins = commit(state, [record("e", 5, ending("d", 10n, 1n)), record("f", 6, ending("d", 10n, 1n))], at(1, 3n));
  expect([left(twins, "e"), left(twins, "f")]).toEqual(["inserted", "crowded"]);
  expect(overdue(state, HOUR_MS, 10)).toEqual([]);
});

test("whatever batches come, a hard account is never above its limit and its holds are what it holds", () => {
  const amounts = fc.array(fc.bigInt({ min: 0n, max: 70n }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ takes: amounts, ends: fc.nat(20), limit: fc.bigInt({ min: 1n, max: 150n }) })),
      (steps) => {
        const state = house();
        let highest = LIMIT;
        let made = 0;
        for (const { takes, ends, limit } of steps) {
          const batch = takes.map((held) => record(`r${++made}`, made, taking(held)));
          const hold = [...state.holds.values()][ends];
          const held = hold?.amounts.get(1n) ?? 0n;
          if (hold) batch.push(record(`r${++made}`, made, ending(hold.id, held, held / 2n)));
          expect(commit(state, batch, at(1)).failed).toBeUndefined();
          const account = state.accounts.get(1n);
          const open = [...state.holds.values()].reduce((sum, { amounts: own }) => sum + (own.get(1n) ?? 0n), 0n);
          expect(account?.held).toBe(open);
          expect((account?.held ?? 0n) + (account?.posted ?? 0n) <= highest).toBe(true);
          const budget = state.budgets.get("t/day");
          if (budget) budget.limit = limit;
          if (limit > highest) highest = limit;
        }
      },
    ),
  );
});
