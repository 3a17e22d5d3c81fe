import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { DataKeys, TenantKey } from "./data-keys.ts";
import type { Ledger } from "./ledger.ts";
import type { NewRecord, RecordOutcome, StoredRecord } from "./record.ts";
import { isSealed, type Marks } from "./seal.ts";

/** What marks a tenant's redacted values, as soon as its key is in memory. */
export type Marking = (tenant: string) => Marks | Promise<Marks>;

/** Where entries are sealed and opened: everything that is recorded passes here once each way. */
export interface Seal {
  /** The record with what it says sealed, as soon as its tenant's key is in memory. */
  seal(record: NewRecord): NewRecord | Promise<NewRecord>;
  /** The record with what it says in plain; of an erased tenant nothing, and `erased` is set. */
  open(record: StoredRecord): StoredRecord | Promise<StoredRecord>;
  readonly marks: Marking;
}

function sealWith({ sealer }: TenantKey, record: NewRecord): NewRecord {
  const { id, tenant, body, aside } = record;
  return {
    ...record,
    body: sealer.seal({ tenant, id, part: "body" }, body),
    ...(aside && { aside: sealer.seal({ tenant, id, part: "aside" }, aside) }),
  };
}

const openPart = ({ sealer }: TenantKey, { tenant, id }: StoredRecord, part: "body" | "aside", bytes: Uint8Array) =>
  isSealed(bytes) ? sealer.open({ tenant, id, part }, bytes) : bytes;

function openWith(key: TenantKey, record: StoredRecord): StoredRecord {
  const { body, aside } = record;
  return {
    ...record,
    body: openPart(key, record, "body", body),
    ...(aside && { aside: openPart(key, record, "aside", aside) }),
  };
}

/** `sealing`: whether new entries are sealed; those that are can be read either way. */
export function createSeal(keys: DataKeys, sealing: () => boolean): Seal {
  return {
    seal(record) {
      if (!sealing()) return record;
      const held = keys.held(record.tenant);
      return held ? sealWith(held, record) : keys.load(record.tenant).then((key) => sealWith(key, record));
    },
    open(record) {
      if (record.erased || !(isSealed(record.body) || (record.aside && isSealed(record.aside)))) return record;
      const held = keys.held(record.tenant);
      return held ? openWith(held, record) : keys.load(record.tenant).then((key) => openWith(key, record));
    },
    marks: (tenant) => keys.held(tenant)?.sealer ?? keys.load(tenant).then(({ sealer }) => sealer),
  };
}

/** What is opened in one turn: a millisecond's work is about two of these. */
const OPENED_BYTES = 512 * 1024;

/** The same ledger, for those who deal in plain records. Its queue weighs what it records: sealed ones. */
export function sealedLedger(ledger: Ledger, { seal, open }: Seal): Ledger {
  const openOutcome = async (outcome: RecordOutcome): Promise<RecordOutcome> =>
    "record" in outcome ? { ...outcome, record: await open(outcome.record) } : outcome;
  const opened = (outcome: RecordOutcome) => ("record" in outcome ? openOutcome(outcome) : outcome);
  const openAll = async <Found extends StoredRecord | null>(found: readonly Found[]) => {
    const all: Found[] = [];
    let bytes = 0;
    for (const record of found) {
      // Opening changes the body and what stands beside it, and nothing else of a record.
      all.push(record && ((await open(record)) as Found));
      bytes += record ? record.body.byteLength + (record.aside?.byteLength ?? 0) : 0;
      if (bytes < OPENED_BYTES) continue;
      bytes = 0;
      await turnOfTheLoop();
    }
    return all;
  };
  // One by one and not as a copy of the other: a look-up that is added later cannot pass by here unopened.
  return {
    start: ledger.start,
    record: (record, options) => {
      const sealed = seal(record);
      if (!(sealed instanceof Promise)) return ledger.record(sealed, options).then(opened);
      return sealed.then((ready) => ledger.record(ready, options)).then(opened);
    },
    findByKeys: async (...asked) => openAll(await ledger.findByKeys(...asked)),
    findById: async (...asked) => {
      const record = await ledger.findById(...asked);
      return record && open(record);
    },
    findBySubject: async (...asked) => openAll(await ledger.findBySubject(...asked)),
    listDecisions: async (...asked) => {
      const { records, more } = await ledger.listDecisions(...asked);
      return { records: await openAll(records), more };
    },
    withAsides: async (...asked) => openAll(await ledger.withAsides(...asked)),
    state: ledger.state,
    fill: ledger.fill,
    shutOut: ledger.shutOut,
    close: ledger.close,
  };
}
