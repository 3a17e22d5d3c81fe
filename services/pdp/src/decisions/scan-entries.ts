import { leastUuidAt } from "../foundation/ids.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";

/** A page of entries of one kind. */
export interface EntryPage {
  /** The newest first. */
  readonly records: readonly StoredRecord[];
  /** Where the next page goes on; undefined when there is none. */
  readonly nextBeforeId: string | undefined;
}

/** Which entries a page may hold. */
export interface EntryRange {
  readonly kind: "decision" | "admin";
  readonly sinceMs: number;
  /** Not included. */
  readonly untilMs: number;
  readonly session: string | undefined;
  /** The last id of the page before. */
  readonly beforeId: string | undefined;
  readonly pageSize: number;
}

/** One read of the store: short, so that decisions are answered in between. */
const READ_RECORDS = 100;
/** What is looked at between two turns: whether an entry was asked for may take parsing it. */
const BYTES_AT_ONCE_MAX = 64 * 1024;

const bytesOf = ({ body, aside }: StoredRecord) => body.byteLength + (aside?.byteLength ?? 0);

/**
 * Reads a page of a tenant's entries, the newest first. What they say stands in their bodies alone, so a page looks at a
 * bounded number of them and may hold fewer than were asked for, or none, with more to come.
 */
export async function scanEntries(
  ledger: Ledger,
  tenant: string,
  { kind, sinceMs, untilMs, session, beforeId: given, pageSize }: EntryRange,
  chosen: (record: StoredRecord) => boolean,
): Promise<EntryPage> {
  const fromId = leastUuidAt(sinceMs);
  const records: StoredRecord[] = [];
  const end = leastUuidAt(untilMs);
  let beforeId = given !== undefined && given < end ? given : end;
  let bytes = 0;
  let looked = 0;
  for (let scanned = 0; scanned < limits.listScanRecordsMax; ) {
    const recordsMax = Math.min(READ_RECORDS, limits.listScanRecordsMax - scanned);
    const read = await ledger.listDecisions(tenant, { kind, fromId, beforeId, session, recordsMax });
    for (const record of read) {
      looked += bytesOf(record);
      if (looked > BYTES_AT_ONCE_MAX) {
        looked = 0;
        await turnOfTheLoop();
      }
      if (chosen(record)) {
        bytes += bytesOf(record);
        if (records.length > 0 && bytes > limits.listPageBytesMax) return { records, nextBeforeId: beforeId };
        records.push(record);
      }
      beforeId = record.id;
      if (records.length === pageSize) return { records, nextBeforeId: beforeId };
    }
    if (read.length < recordsMax) return { records, nextBeforeId: undefined };
    scanned += read.length;
  }
  return { records, nextBeforeId: beforeId };
}
