import { expect, test } from "vitest";
import { givenAccounts } from "./given-accounts.ts";

const link = (id: string, given?: object[]) => ({ id, ...(given && { given }) }) as never;

test("a chain in which nobody was given anything has no accounts of its own", () => {
  expect(givenAccounts({ id: "s2", given: undefined, ancestors: [link("s1")] })).toBeUndefined();
});

test("every session of a chain is charged for what it was given, the asking one first", () => {
  const eur = (account: bigint, limit: bigint) => ({ account, unit: "EUR", limit });
  const above = [link("s1", [eur(1n, 9n), { account: 2n, unit: "tokens", limit: 7n }]), link("s2")];
  const accounts = givenAccounts({ id: "s3", given: [eur(3n, 5n)], ancestors: above });
  expect(accounts?.covers).toEqual([
    { budget: "session:s3", key: "", unit: "EUR", hard: true },
    { budget: "session:s1", key: "", unit: "EUR", hard: true },
    { budget: "session:s1", key: "", unit: "tokens", hard: true },
  ]);
  expect(accounts?.of({ budget: "session:s1", unit: "tokens" })).toMatchObject({ id: 2n, balance: { limit: 7n } });
  expect(accounts?.of({ budget: "session:s2", unit: "EUR" })).toBeUndefined();
  expect(accounts?.of({ budget: "refunds", unit: "EUR" })).toBeUndefined();
});
