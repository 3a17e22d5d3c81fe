import { leastUuidAt } from "../foundation/ids.ts";
import { limits } from "../foundation/limits.ts";
import type { Ledger, ListedRecord, StoredRecord } from "../ledger/index.ts";
import { type EntryRooms, eachEntry } from "./each-entry.ts";

/** A page of entries of one kind. */
export interface EntryPage {
  /** The newest first; `wholeEntries` reads what stands beside them. */
  readonly records: readonly ListedRecord[];
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

/** Whether an entry is one that was asked for: at once, unless what it says is long. */
export type Choose = (record: ListedRecord) => boolean | Promise<boolean>;

const bytesOf = ({ body, asideBytes }: ListedRecord) => body.byteLength + asideBytes;

/**
 * Reads a page of a tenant's entries, the newest first. What they say stands in their bodies alone, so a page looks at a
 * bounded number of them and may hold fewer than were asked for, or none, with more to come.
 */
export async function scanEntries(
  rooms: EntryRooms,
  tenant: string,
  { kind, sinceMs, untilMs, session, beforeId: given, pageSize }: EntryRange,
  choose: Choose,
): Promise<EntryPage> {
  const end = leastUuidAt(untilMs);
  let beforeId = given !== undefined && given < end ? given : end;
  const records: ListedRecord[] = [];
  let bytes = 0;
  const range = { kind, session, fromId: leastUuidAt(sinceMs), beforeId };
  const take = (record: ListedRecord, isChosen: boolean) => {
    if (isChosen) {
      bytes += bytesOf(record);
      if (records.length > 0 && bytes > limits.listPageBytesMax) return "enough";
      records.push(record);
    }
    beforeId = record.id;
    return records.length < pageSize ? "go on" : "enough";
  };
  const more = await eachEntry(rooms, tenant, range, (record) => {
    const chosen = choose(record);
    return chosen instanceof Promise ? chosen.then((isChosen) => take(record, isChosen)) : take(record, chosen);
  });
  return { records, nextBeforeId: more ? beforeId : undefined };
}

/** What stands beside entries is read so much at a time, or one alone that is longer. */
const ASIDE_BYTES = 512 * 1024;

/** The entries of a page with what stands beside them, some at a time: it may be long, and nobody needs all of it at once. */
export async function* wholeEntries(
  ledger: Pick<Ledger, "withAsides">,
  tenant: string,
  records: readonly ListedRecord[],
): AsyncGenerator<StoredRecord> {
  let some: ListedRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (some.length > 0 && bytes + record.asideBytes > ASIDE_BYTES) {
      yield* await ledger.withAsides(tenant, some);
      [some, bytes] = [[], 0];
    }
    some.push(record);
    bytes += record.asideBytes;
  }
  yield* await ledger.withAsides(tenant, some);
}
