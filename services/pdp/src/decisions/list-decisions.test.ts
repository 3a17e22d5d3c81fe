import { expect, test } from "vitest";
import { leastUuidAt } from "../foundation/ids.ts";
import { limits } from "../foundation/limits.ts";
import { systemTurnRoom } from "../foundation/turn-room.ts";
import type { DecisionRange, Ledger, ListedRecord, StoredRecord } from "../ledger/index.ts";
import { createListDecisions, type DecisionQuery } from "./list-decisions.ts";
import { wholeEntries } from "./scan-entries.ts";

interface Length {
  readonly bodyBytes?: number;
  readonly asideBytes?: number;
}

/** A ledger of one tenant with a decision a millisecond, every tenth of the tool `rare`, and each as long as it is said. */
function ledgerOf(count: number, lengthOf: (ms: number) => Length = () => ({})) {
  const reads: DecisionRange[] = [];
  const asides: string[][] = [];
  const record = (ms: number): ListedRecord => {
    const { bodyBytes = 0, asideBytes = 0 } = lengthOf(ms);
    const text = "x".repeat(bodyBytes);
    const body = { agent: { id: "clerk" }, tool: ms % 10 === 0 ? "rare" : "common", effect: "allow", text };
    const common = { epoch: 1n, n: 1n, tenant: "t", session: "s", kind: "decision", digest: new Uint8Array() } as const;
    return { ...common, id: leastUuidAt(ms), body: Buffer.from(JSON.stringify(body)), asideBytes };
  };
  const records = Array.from({ length: count }, (_, ms) => record(ms)).reverse();
  const listDecisions: Ledger["listDecisions"] = async (_tenant, range) => {
    reads.push(range);
    const found: ListedRecord[] = [];
    let bytes = 0;
    for (const one of records) {
      if (one.id < range.fromId || one.id >= range.beforeId) continue;
      if (found.length === range.recordsMax || bytes >= range.bytesMax) break;
      found.push(one);
      bytes += one.body.length;
    }
    return { records: found, more: found.length === range.recordsMax || bytes >= range.bytesMax };
  };
  const withAsides: Ledger["withAsides"] = async (_tenant, some) => {
    asides.push(some.map(({ id }) => id));
    return some.map(({ asideBytes, ...one }): StoredRecord => ({ ...one, aside: new Uint8Array(asideBytes) }));
  };
  return {
    ...{ reads, asides, ledger: { withAsides } },
    list: createListDecisions({ ledger: { listDecisions }, turns: systemTurnRoom() }),
  };
}

const everything: DecisionQuery = {
  ...{ sinceMs: 0, untilMs: 10_000, agent: undefined, tool: undefined, effect: undefined, would: undefined },
  ...{ session: undefined, beforeId: undefined, pageSize: 100 },
};

/** The ids of all pages, page by page. */
async function pagesOf({ list }: Pick<ReturnType<typeof ledgerOf>, "list">, query = everything) {
  const pages: string[][] = [];
  for (let { beforeId } = query; ; ) {
    const { records, nextBeforeId } = await list("t", { ...query, beforeId });
    pages.push(records.map(({ id }) => id));
    if (nextBeforeId === undefined) return pages;
    beforeId = nextBeforeId;
  }
}

const newestFirst = (count: number) => Array.from({ length: count }, (_, at) => leastUuidAt(count - 1 - at));

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

test("a page ends before it is too long, by what stands beside its entries, and the next begins with the one that was", async () => {
  const asideBytes = Math.ceil(limits.listPageBytesMax / 3.5);
  const { asides, list } = ledgerOf(10, () => ({ asideBytes }));
  const pages = await pagesOf({ list });
  expect(pages.map((ids) => ids.length)).toEqual([3, 3, 3, 1]);
  expect(pages.flat()).toEqual(newestFirst(10));
  // What stands beside them is nobody's business while they are looked for.
  expect(asides).toEqual([]);
});

test("an entry that is longer than a page stands alone on one", async () => {
  const { list } = ledgerOf(3, (ms) => (ms === 1 ? { asideBytes: 2 * limits.listPageBytesMax } : {}));
  expect(await pagesOf({ list })).toEqual([[leastUuidAt(2)], [leastUuidAt(1)], [leastUuidAt(0)]]);
});

test("long bodies are read few at a time, and none is looked at twice or passed over", async () => {
  const { list, reads } = ledgerOf(40, (ms) => ({ bodyBytes: ms === 7 ? 3_000_000 : 200_000 }));
  const pages = await pagesOf({ list });
  expect(pages.flat()).toEqual(newestFirst(40));
  expect(reads.length).toBeGreaterThan(40 / 4);
  // Reads that are cut by their bytes do not end the list for whoever looks for something rare.
  const rare = await pagesOf({ list }, { ...everything, tool: "rare" });
  expect(rare).toEqual([[30, 20, 10, 0].map(leastUuidAt)]);
});

test("what stands beside entries is read some at a time, in their order, a long one alone", async () => {
  const lengths = [300_000, 300_000, 0, 0, 2_000_000, 0, 100];
  const { asides, list, ledger } = ledgerOf(lengths.length, (ms) => ({ asideBytes: lengths[ms] ?? 0 }));
  const { records } = await list("t", everything);
  const told: number[] = [];
  for await (const { aside } of wholeEntries(ledger, "t", records)) told.push(aside?.length ?? 0);
  expect(told).toEqual(lengths.toReversed());
  expect(asides).toEqual([[6, 5], [4], [3, 2, 1], [0]].map((some) => some.map(leastUuidAt)));
});
