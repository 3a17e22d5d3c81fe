// Stands where the service has `ledger/ledger.ts`: as many of its ledgers as there are connections, each with one writer
// and one record a commit. Each record has a transaction of its own, and whoever comes when all are busy waits in one line.
import { Fault } from "../../../../services/pdp/src/foundation/fault.ts";
import {
  createLedger as createOwnLedger,
  type Ledger,
  type LedgerOptions,
} from "../../../../services/pdp/src/ledger/ledger.ts";
import { connectionsFrom } from "./connections.ts";
import { createPlaces } from "./places.ts";

export type { Ledger } from "../../../../services/pdp/src/ledger/ledger.ts";

const overloaded = () => new Fault("exhausted", "overloaded", "too many records wait for the ledger");

/** The store of one of several ledgers, which all of them register and close together. */
const shared = (store: LedgerOptions["store"]): LedgerOptions["store"] => ({
  ...store,
  register: async () => {},
  close: async () => {},
});

export function createLedger(options: LedgerOptions): Ledger {
  const { store, limits, onStop } = options;
  let stopped = false;
  const one = {
    ...options,
    store: shared(store),
    writers: 1,
    limits: { ...limits, batchRecordsMax: 1 },
    onStop: (why: Parameters<NonNullable<typeof onStop>>[0]) => {
      if (!stopped) onStop?.(why);
      stopped = true;
    },
  };
  const first = createOwnLedger(one);
  const ledgers = [first, ...Array.from({ length: connectionsFrom(process.env) - 1 }, () => createOwnLedger(one))];
  const places = createPlaces(ledgers, limits.queueRecordsMax, overloaded);
  const sum = (of: (state: ReturnType<Ledger["state"]>) => number) =>
    ledgers.reduce((all, ledger) => all + of(ledger.state()), 0);
  return {
    // What is only read needs no writer.
    ...first,
    start: async () => {
      await store.register();
      await Promise.all(ledgers.map((ledger) => ledger.start()));
    },
    record: (record, { withinMs = limits.recordWaitMsMax } = {}) => {
      const endMs = performance.now() + withinMs;
      return places.use((ledger) => ledger.record(record, { withinMs: Math.max(0, endMs - performance.now()) }));
    },
    state: () => ({
      ...first.state(),
      serving: ledgers.every((ledger) => ledger.state().serving),
      writersAlive: sum(({ writersAlive }) => writersAlive),
      epochs: ledgers.flatMap((ledger) => ledger.state().epochs),
      queuedRecords: places.waiting,
      inFlightRecords: sum(({ inFlightRecords }) => inFlightRecords),
    }),
    fill: () => places.waiting / limits.queueRecordsMax,
    shutOut: () => {
      for (const ledger of ledgers) ledger.shutOut();
    },
    close: async () => {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
      await store.close();
    },
  };
}
