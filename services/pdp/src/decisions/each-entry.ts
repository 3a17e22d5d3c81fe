import { limits } from "../foundation/limits.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { DecisionRange, Ledger, ListedRecord } from "../ledger/index.ts";

/** What whoever looks through entries needs. */
export interface EntryRooms {
  readonly ledger: Pick<Ledger, "listDecisions">;
  /** Where all who do take turns. */
  readonly turns: TurnRoom;
}

/** Whether whoever looks has seen enough. */
type Looked = "go on" | "enough";

/** One read of the store: short, so that decisions are answered in between. */
const READ_RECORDS = 100;
/** Of one body alone, where that is longer. */
const READ_BYTES = 512 * 1024;
/** What is looked at between two turns: whether an entry was asked for may take parsing it. */
const BYTES_AT_ONCE_MAX = 64 * 1024;

/**
 * Looks at a tenant's entries, the newest of a range first, until `look` answers that it has seen enough: at most as many
 * as one page may look at. Answers whether there may be others behind the last that it went past.
 */
export async function eachEntry(
  { ledger, turns }: EntryRooms,
  tenant: string,
  range: Omit<DecisionRange, "recordsMax" | "bytesMax">,
  look: (record: ListedRecord) => Looked | Promise<Looked>,
): Promise<boolean> {
  const source = {};
  let { beforeId } = range;
  for (let scanned = 0; scanned < limits.listScanRecordsMax; ) {
    const recordsMax = Math.min(READ_RECORDS, limits.listScanRecordsMax - scanned);
    const asked = { ...range, beforeId, recordsMax, bytesMax: READ_BYTES };
    const { records, more } = await ledger.listDecisions(tenant, asked);
    let bytes = 0;
    await turns.enter(source);
    for (const record of records) {
      if (bytes > BYTES_AT_ONCE_MAX) {
        bytes = 0;
        await turns.enter(source);
      }
      bytes += record.body.byteLength;
      const looked = look(record);
      if ((looked instanceof Promise ? await looked : looked) === "enough") return true;
      beforeId = record.id;
    }
    if (!more) return false;
    scanned += records.length;
  }
  return true;
}
