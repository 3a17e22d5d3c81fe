import { expect, test } from "vitest";
import { type AccountRow, auditBooks, type Books, type Entry, type Purchase, type RecordRow } from "./books-audit.ts";

const EUR = 1_000_000n;
const house = { budget: "house", key: "", hard: true, unit: "EUR" } as const;
const rare = { budget: "rare", key: "", hard: true, unit: "calls" } as const;
const watch = { budget: "watch", key: "", hard: false, unit: "EUR" } as const;
const CHARGED = [house, rare, watch];
const HOLDS = [
  { budget: "house", micros: 5n * EUR },
  { budget: "rare", micros: EUR },
  { budget: "watch", micros: 5n * EUR },
];

const purchase = (callId: string, decisionId: string, more: Partial<Purchase> = {}): Purchase => ({
  ...{ callId, charged: CHARGED, estimate: 5n * EUR, spent: { micros: 3n * EUR, calls: 1 } },
  answers: [{ decisionId, attempt: 1, allowed: true, holds: HOLDS }],
  ...more,
});
const account = (id: string, budget: string, more: Partial<AccountRow>): AccountRow => ({
  ...{ id, budget, key: "", hard: true, limit: 20n * EUR, ceiling: 20n * EUR },
  ...{ held: 0n, posted: 0n, overage: 0n, ...more },
});
const record = (id: string, more: Partial<RecordRow>): RecordRow => ({
  ...{ id, kind: "decision", subject: null, accounts: ["1", "2", "3"] },
  ...{ held: [0n, 0n, 0n], posted: [0n, 0n, 0n], overage: [0n, 0n, 0n], ...more },
});
const taken = [5n * EUR, EUR, 5n * EUR];
const given = taken.map((micros) => -micros);

/** One call that was reported with more than it held in part, one that nobody ever reported, one that was refused. */
const sound: Books = {
  purchases: [
    purchase("a", "d1", { spent: { micros: 7n * EUR, calls: 1 } }),
    purchase("b", "d2", { spent: undefined }),
    purchase("c", "d3", { answers: [{ decisionId: "d3", attempt: 1, allowed: false, holds: [] }], spent: undefined }),
  ],
  accounts: [
    account("1", "house", { posted: 10n * EUR, overage: 2n * EUR }),
    account("2", "rare", { posted: 2n * EUR, limit: 2n * EUR, ceiling: 2n * EUR }),
    account("3", "watch", { hard: false, posted: 5n * EUR, overage: 2n * EUR, limit: EUR }),
  ],
  records: [
    record("d1", { held: taken }),
    record("d2", { held: taken }),
    record("d3", { accounts: [], held: [], posted: [], overage: [] }),
    record("r1", {
      ...{ kind: "report", subject: "d1", held: given, posted: taken },
      overage: [2n * EUR, 0n, 2n * EUR],
    }),
    record("e2", { kind: "expiry", subject: "d2", held: given, posted: [5n * EUR, EUR, 0n] }),
  ],
  entries: [
    { id: "d1", callId: "a", allowed: true },
    { id: "d2", callId: "b", allowed: true },
    { id: "d3", callId: "c", allowed: false },
  ],
  openHolds: 0,
  usedUp: new Map([["rare", 2n * EUR]]),
  resolutions: [],
  highest: new Map([
    ["house", 20n * EUR],
    ["rare", 2n * EUR],
  ]),
};

const changed = <Row extends { readonly id: string }>(rows: readonly Row[], id: string, more: Partial<Row>) =>
  rows.map((row) => (row.id === id ? { ...row, ...more } : row));
const accounts = (id: string, more: Partial<AccountRow>) => ({ ...sound, accounts: changed(sound.accounts, id, more) });
const records = (id: string, more: Partial<RecordRow>) => ({ ...sound, records: changed(sound.records, id, more) });
const entries = (id: string, more: Partial<Entry>) => ({ ...sound, entries: changed(sound.entries, id, more) });
const purchases = (callId: string, more: Partial<Purchase>) => ({
  ...sound,
  purchases: sound.purchases.map((one) => (one.callId === callId ? { ...one, ...more } : one)),
});

test("sound books have nothing wrong with them", () => {
  expect(auditBooks(sound)).toEqual([]);
});

test.each<[string, Books, string]>([
  ["a unit too much in an account", accounts("1", { posted: 10n * EUR + 1n }), "its records come to"],
  ["a record whose moves were applied twice", records("r1", { posted: [5n * EUR, 2n * EUR, 0n] }), "come to"],
  [
    "a report that was settled as less than was said",
    purchases("a", { spent: { micros: 7n * EUR + 1n, calls: 1 } }),
    "callers spent",
  ],
  [
    "an expiry that gave back what nobody reported",
    {
      ...records("e2", { posted: [0n, EUR, 0n] }),
      accounts: changed(sound.accounts, "1", { posted: 5n * EUR }),
    },
    "callers spent",
  ],
  [
    "a hold that was spent though the call never ran",
    purchases("b", { spent: { micros: 0n, calls: 0 } }),
    "callers spent",
  ],
  ["an account over its ceiling", accounts("2", { ceiling: EUR }), "never above"],
  ["a ceiling that nobody asked for", accounts("1", { ceiling: 21n * EUR }), "never above"],
  ["a call that two decisions allow", entries("d3", { callId: "a", allowed: true }), "was allowed 2 times"],
  [
    "an answer that is not in the ledger",
    { ...sound, entries: sound.entries.filter(({ id }) => id !== "d3") },
    "is not so in the ledger",
  ],
  ["an answer that was recorded as another", entries("d3", { allowed: true }), "is not so in the ledger"],
  [
    "an allowed call that holds nothing of one of its budgets",
    records("d1", { held: [5n * EUR, EUR, 0n] }),
    "do not hold what it was told",
  ],
  [
    "a call that was told of fewer holds",
    purchases("a", { answers: [{ decisionId: "d1", attempt: 1, allowed: true, holds: HOLDS.slice(1) }] }),
    "was told that it holds",
  ],
  ["one call more than a small budget has", { ...sound, usedUp: new Map([["rare", EUR]]) }, "its limit is"],
  [
    "a settlement in another window than that of its decision",
    {
      ...records("e2", { accounts: ["1", "2", "4"] }),
      accounts: [...sound.accounts, account("4", "watch", { hard: false })],
    },
    "was never charged to",
  ],
  [
    "a hold that counts as spent though an operator released it",
    { ...sound, resolutions: [{ decision: "d2", released: true }] },
    "callers spent",
  ],
  [
    "a soft budget that counts nothing of what an operator said was spent",
    { ...sound, resolutions: [{ decision: "d2", released: false }] },
    "callers spent",
  ],
  ["a hold that nothing ended", { ...sound, openHolds: 1 }, "still open"],
  [
    "something held that no hold stands for",
    { ...accounts("3", { held: 5n * EUR }), records: changed(sound.records, "e2", { held: [-5n * EUR, -EUR, 0n] }) },
    "still holds",
  ],
])("the audit finds %s", (_name, books, expected) => {
  expect(auditBooks(books).join("\n")).toContain(expected);
});
