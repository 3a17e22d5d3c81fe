import { expect, test } from "vitest";
import { countTurns, mostInOneTurn } from "../../test/support/turns.ts";
import type { Ledger } from "./ledger.ts";
import type { ListedRecord, StoredRecord } from "./record.ts";
import { type Seal, sealedLedger } from "./sealed.ts";

const BODY_BYTES = 256 * 1024;
const recordAt = (at: number): StoredRecord & ListedRecord => ({
  ...{ epoch: 1n, n: BigInt(at), id: `r${at}`, tenant: "t", session: "s", kind: "decision" },
  ...{ digest: new Uint8Array(32), body: new Uint8Array(BODY_BYTES), asideBytes: 0 },
});
const records = Array.from({ length: 20 }, (_, at) => recordAt(at));
const plain = Buffer.from("{}");

/** A ledger that has these records, and in which turn of the event loop each was opened. */
function opening() {
  const turns = countTurns();
  const openedIn: number[] = [];
  const open: Seal["open"] = (record) => {
    openedIn.push(turns.now());
    return { ...record, body: plain };
  };
  const found = async () => records;
  const keys = async () => [null, ...records, null];
  const listDecisions = async () => ({ records, more: true });
  const looks = { listDecisions, withAsides: found, findBySubject: found, findByKeys: keys };
  const ledger = looks as unknown as Ledger;
  return {
    ledger: sealedLedger(ledger, { open } as Seal),
    most() {
      turns.stop();
      return mostInOneTurn(openedIn);
    },
  };
}

test.each([
  ["a list of decisions", async (ledger: Ledger) => (await ledger.listDecisions("t", {} as never)).records],
  ["what stands beside them", (ledger: Ledger) => ledger.withAsides("t", records)],
  ["what was told of a decision", (ledger: Ledger) => ledger.findBySubject("t", "r0")],
])("%s is opened some in a turn, in its order", async (_, read) => {
  const { ledger, most } = opening();
  expect(await read(ledger)).toEqual(records.map((record) => ({ ...record, body: plain })));
  expect(most()).toBe(2);
});

test("calls that were recorded are opened some in a turn, each in its place", async () => {
  const { ledger, most } = opening();
  const found = await ledger.findByKeys("t", "s", "2026-11-22", []);
  expect(found.map((record) => record?.id)).toEqual([undefined, ...records.map(({ id }) => id), undefined]);
  expect(found[1]?.body).toEqual(plain);
  expect(most()).toBe(2);
});
