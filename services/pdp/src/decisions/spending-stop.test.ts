import { expect, test } from "vitest";
import type { Account } from "../budgets/index.ts";
import type { Short } from "../ledger/index.ts";
import type { Snapshot } from "../policies/index.ts";
import type { Holding } from "./holding.ts";
import { createSpendingStops, spendingAmong } from "./spending-stop.ts";

const EUR = 1_000_000n;

const snapshotWith = (anomaly: object | undefined) => {
  const spec = { unit: "EUR", limit: "100", ...(anomaly && { anomaly }) };
  return { budgets: new Map([["b", { document: { spec } }]]) } as unknown as Snapshot;
};
const usual = snapshotWith({ deviations: 6, windowsMin: 3 });

const account = (id: bigint, closesAtMs: number, more: Partial<Account> = {}): Account => ({
  ...{
    budget: "b",
    key: "",
    id,
    unit: "EUR",
    hard: true,
    opensAtMs: 0,
    closesAtMs,
    history: [20n * EUR, 20n * EUR, 20n * EUR],
  },
  balance: { account: id, limit: 100n * EUR, held: 0n, posted: 0n, overage: 0n, frozen: false },
  ...more,
});

const owing = (...accounts: readonly Account[]): Holding => ({
  owed: accounts.map((one) => ({ budget: "b", key: "", unit: "EUR", hard: true, micros: 40n * EUR, account: one })),
  ...{ before: undefined, watched: false, storeAheadMs: 0 },
});

const short = (id: bigint, alarm: bigint, why: Short["why"] = "unusual"): Short => ({
  ...{ account: id, why },
  balance: {
    account: id,
    limit: 100n * EUR,
    held: 5n * EUR,
    posted: 2n * EUR,
    overage: 3n * EUR,
    frozen: false,
    alarm,
  },
});

test("of accounts that let nothing unusual in, the one whose window ends last says why and until when", () => {
  const holding = owing(account(1n, 500), account(2n, 900), account(3n, 700));
  const shorts = [short(1n, 32n * EUR), short(2n, 32n * EUR), short(3n, 0n, "exhausted")];
  const { shorts: known, forget, stop } = spendingAmong(usual, holding.owed, shorts);
  expect([known, forget]).toEqual([shorts, []]);
  expect(stop).toMatchObject({ account: 2n, untilMs: 900, needed: 40n * EUR, spent: 10n * EUR });
  expect(stop?.settings).toEqual({ deviations: 6, windowsMin: 3, floor: 20n * EUR });
  expect(stop?.usual).toEqual({ median: 20n * EUR, mad: 0n, alarm: 32n * EUR });
});

test.each<[string, Snapshot, Account, bigint]>([
  ["whose windows before are not known here", usual, { ...account(1n, 500), history: [] }, 32n * EUR],
  [
    "whose settings are not those that the store went by",
    snapshotWith({ deviations: 5, windowsMin: 3 }),
    account(1n, 500),
    32n * EUR,
  ],
  ["that is compared with nothing, as far as is known here", snapshotWith(undefined), account(1n, 500), 32n * EUR],
  ["whose alarm has just become another", usual, account(1n, 500), 33n * EUR],
])("an account %s is looked at anew, and is no reason to deny", (_what, snapshot, one, alarm) => {
  const { shorts, forget, stop } = spendingAmong(snapshot, owing(one).owed, [short(1n, alarm)]);
  expect([shorts.map(({ why }) => why), forget, stop]).toEqual([["crowded"], [1n], undefined]);
});

test("the first stop of a window opens the breaker, once it is recorded, and what is observed apart", () => {
  const stops = createSpendingStops(() => undefined);
  const holding = owing(account(1n, 500));
  const look = (watched = false) => stops.among(usual, { ...holding, watched }, [short(1n, 32n * EUR)]).stop;
  expect([look()?.opened, look()?.opened]).toEqual([true, true]);
  const first = look();
  if (first) stops.recorded(first);
  expect([look()?.opened, look(true)?.opened, look(true)?.observed]).toEqual([false, true, true]);
  // The one that was told first is forgotten when there are very many.
  for (let id = 2n; id <= 10_001n; id++) if (first) stops.recorded({ ...first, account: id });
  expect(look()?.opened).toBe(true);
});

test("where nothing is unusual nothing is looked at", () => {
  const shorts = [short(1n, 0n, "exhausted"), short(2n, 0n, "locked")];
  expect(createSpendingStops(() => undefined).among(usual, owing(), shorts)).toEqual({ shorts, stop: undefined });
});
