// Stands where the service has `stores/ledger.ts`: its own store, whose writers commit what takes a hold by a statement
// for one call. Everything else of it is the service's.
import type { LedgerStore, LedgerWriter } from "../../../../services/pdp/src/ledger/index.ts";
import { createLanes, type Lane } from "../../../../services/pdp/src/stores/lane.ts";
import {
  createLedgerStore as createOwnStore,
  type LedgerStoreOptions,
} from "../../../../services/pdp/src/stores/ledger.ts";
import { createLedgerWriter } from "../../../../services/pdp/src/stores/ledger-writer.ts";
import { insertWriter } from "../../../../services/pdp/src/stores/writer-row.ts";
import { lockingQuery } from "./statement.ts";
import { takesAlone } from "./takes.ts";

const replaced = "ledger-charge-wait-taking";
const lockMs = 500;

/** The service's writer, whose lane sends the other statement while the batch is one that takes a hold. */
function lockingWriter(lane: Lane, epoch: bigint, onBroken: () => void): LedgerWriter {
  let takes = false;
  const query: Lane["query"] = (config) =>
    lane.query(takes && config.name === replaced ? lockingQuery(config) : config);
  const writer = createLedgerWriter({ ...lane, query }, epoch, onBroken);
  return {
    ...writer,
    commit: (batch) => {
      takes = takesAlone(batch);
      return writer.commit(batch);
    },
  };
}

export function createLedgerStore(options: LedgerStoreOptions): LedgerStore {
  const store = createOwnStore(options);
  const lanes = createLanes(options);
  return {
    ...store,
    openWriter: async () => {
      const lane = await lanes.open("remit-writer");
      try {
        const epoch = await lane.within((client) => insertWriter(client, options.replica));
        // As the service sets its writers up.
        await lane.within((client) => client.query(`set lock_timeout = ${lockMs}; set enable_seqscan = off`));
        const writer = lockingWriter(lane, epoch, () => lanes.destroyAll(new Error("a writer is broken")));
        await writer.commit([]);
        return writer;
      } catch (error) {
        lane.destroy(error as Error);
        throw error;
      }
    },
    close: async () => {
      lanes.destroyAll(new Error("the ledger is closed"));
      await store.close();
    },
  };
}
