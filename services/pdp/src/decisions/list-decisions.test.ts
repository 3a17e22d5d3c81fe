import { expect, test } from "vitest";
import { leastUuidAt } from "../foundation/ids.ts";
import { limits } from "../foundation/limits.ts";
import type { DecisionRange, Ledger, StoredRecord } from "../ledger/index.ts";
import { createListDecisions, type DecisionQuery } from "./list-decisions.ts";

/** A ledger of one tenant with a decision a millisecond, every tenth of the tool `rare`. */
function ledgerOf(count: number) {
  const reads: DecisionRange[] = [];
  const record = (ms: number): StoredRecord => {
    const body = { agent: { id: "clerk" }, tool: ms % 10 === 0 ? "rare" : "common", effect: "allow" };
    const common = { epoch: 1n, n: 1n, tenant: "t", session: "s", kind: "decision", digest: new Uint8Array() } as const;
    return { ...common, id: leastUuidAt(ms), body: Buffer.from(JSON.stringify(body)) };
  };
  const records = Array.from({ length: count }, (_, ms) => record(ms)).reverse();
  const listDecisions: Ledger["listDecisions"] = async (_tenant, range) => {
    reads.push(range);
    return records.filter(({ id }) => id >= range.fromId && id < range.beforeId).slice(0, range.recordsMax);
  };
  return { reads, list: createListDecisions({ ledger: { listDecisions } as Ledger }) };
}

const everything: DecisionQuery = {
  ...{ sinceMs: 0, untilMs: 10_000, agent: undefined, tool: undefined, effect: undefined, would: undefined },
  ...{ session: undefined, beforeId: undefined, pageSize: 100 },
};

test("a page looks at so many decisions and no more, and the next goes on behind them", async () => {
  const { list, reads } = ledgerOf(2 * limits.listScanRecordsMax + 1);
  const query = { ...everything, tool: "elsewhere" };
  const first = await list("t", query);
  expect(first.records).toEqual([]);
  expect(first.nextBeforeId).toBe(leastUuidAt(limits.listScanRecordsMax + 1));
  expect(reads.reduce((sum, { recordsMax }) => sum + recordsMax, 0)).toBe(limits.listScanRecordsMax);
  const second = await list("t", { ...query, beforeId: first.nextBeforeId });
  expect(second.nextBeforeId).toBe(leastUuidAt(1));
  const last = await list("t", { ...query, beforeId: second.nextBeforeId });
  expect(last).toEqual({ records: [], nextBeforeId: undefined });
});

test("what fits is found among the rest, as many as a page holds", async () => {
  const { list } = ledgerOf(500);
  const page = await list("t", { ...everything, tool: "rare", pageSize: 7 });
  expect(page.records.map(({ id }) => id)).toEqual([490, 480, 470, 460, 450, 440, 430].map(leastUuidAt));
  const next = await list("t", { ...everything, tool: "rare", pageSize: 7, beforeId: page.nextBeforeId });
  expect(next.records[0]?.id).toBe(leastUuidAt(420));
});

test("a page that is made up leads nowhere beyond the time that was asked for", async () => {
  const { list } = ledgerOf(500);
  const page = await list("t", { ...everything, untilMs: 100, beforeId: leastUuidAt(400), pageSize: 1 });
  expect(page.records.map(({ id }) => id)).toEqual([leastUuidAt(99)]);
});
