import { create } from "@bufbuild/protobuf";
import { ListHoldsRequestSchema } from "@remit/proto/admin";
import { expect, test } from "vitest";
import { limits } from "../../foundation/limits.ts";
import { holdRpcs } from "./holds.ts";

const idAt = (at: number) => `01900000-0000-7000-8000-${String(at).padStart(12, "0")}`;

function listOf(accountsOf: readonly number[]) {
  const all = accountsOf.map((count, at) => {
    const amounts = Array.from({ length: count }, (_, n) => ({
      ...{ account: BigInt(n + 1), budget: "b", unit: "usd", micros: 1n },
    }));
    const id = idAt(at);
    return {
      ...{ id, decision: id, session: id, agent: "a", tool: "t", amounts, sinceMs: 0, untilMs: 1, pending: false },
    };
  });
  const list = async (_: unknown, { after, most }: { readonly after?: string; readonly most: number }) =>
    all.filter(({ id }) => after === undefined || id > after).slice(0, most);
  return holdRpcs({ caller: () => ({}), budgetHolds: { list } } as never);
}

async function pages(accountsOf: readonly number[]): Promise<string[][]> {
  const rpcs = listOf(accountsOf);
  const found: string[][] = [];
  for (let pageToken = ""; ; ) {
    const answer = await rpcs.listHolds(create(ListHoldsRequestSchema, { pageToken }), {} as never);
    found.push(answer.holds.map(({ holdId }) => holdId));
    pageToken = answer.nextPageToken;
    if (pageToken === "") return found;
  }
}

test("a page of holds ends at its accounts, and the pages together have each hold once", async () => {
  const accountsOf = Array.from({ length: 130 }, (_, at) => (at < 60 ? limits.callAccountsMax : 1));
  const found = await pages(accountsOf);
  expect(found.flat()).toEqual(accountsOf.map((_, at) => idAt(at)));
  const held = found.map((page) => page.reduce((sum, id) => sum + (accountsOf[Number(id.slice(-12))] ?? 0), 0));
  expect(Math.max(...held)).toBeLessThanOrEqual(limits.holdAmountsListedMax);
  expect(found).toHaveLength(4);
});

test("a hold of more accounts than a page has is answered alone", async () => {
  const found = await pages([limits.holdAmountsListedMax + 1, limits.holdAmountsListedMax + 1, 1]);
  expect(found).toEqual([[idAt(0)], [idAt(1)], [idAt(2)]]);
});
