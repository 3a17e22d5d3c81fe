import { hostname } from "node:os";
import type { Config } from "../config/index.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import type { StoreClock } from "../foundation/store-time.ts";
import { createLedger, createPeers, createSequencer, type Stopped, systemTiming } from "../ledger/index.ts";
import { checkCell } from "../stores/cell.ts";
import { createLedgerStore } from "../stores/ledger.ts";
import { createPeerStore } from "../stores/peers.ts";
import { createSequencerStore } from "../stores/sequencer.ts";
import type { Metrics } from "../telemetry/index.ts";
import type { Store } from "./store.ts";

interface Options {
  readonly config: Config;
  readonly store: Store;
  /** This process's own UUID. */
  readonly replica: string;
  readonly log: Log;
  /** Hears the store's time with every beat. */
  readonly storeClock: StoreClock;
  readonly metrics: Pick<Metrics, "committed" | "replicaFenced">;
  /** Called while a caller alone waits for its commit. */
  readonly onWait: (() => void) | undefined;
}

/** What an operator reads when the process ends by itself. */
const reasons: Readonly<Record<Exclude<Stopped, "closed">, string>> = {
  fenced:
    "another replica declared this one dead, because it was not seen for some seconds (paused, or cut off from its Postgres): nothing of it can be recorded any more",
  broken:
    "the ledger has stopped for good: its Postgres is not the one that recorded before, or another process writes under this one's numbers",
};

/** This process as one replica of its cell: what it records, and how the others see it. Nothing is open yet. */
export function createReplica({ config, store, replica, log, storeClock, metrics, onWait }: Options) {
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  const lanes = { url: store.url, log, verify: checkCell };
  const ledger = createLedger({
    store: createLedgerStore({ ...lanes, pool: store.pool, replica, host: hostname() }),
    writers: config.writers,
    log,
    limits: { ...limits, queueRecordsMax: config.queueRecords },
    observe: ({ records, ms, result }) => {
      if (result === "committed") metrics.committed(ms / 1000, records);
    },
    onWait,
    onStop: (why) => fail(reasons[why]),
  });
  const peers = createPeers({
    store: createPeerStore({ ...lanes, replica, now: systemTiming.now }),
    log,
    timing: systemTiming,
    heard: storeClock.heard,
    onShutOut: ledger.shutOut,
    onFenced: metrics.replicaFenced,
  });
  const sequencer = createSequencer({ store: createSequencerStore(lanes), log, timing: systemTiming });
  return {
    ledger,
    /** The record for which all others wait for their places in the ledger, as this replica saw it last. */
    ledgerGap: sequencer.stopped,
    /** Resolves with the reason when this process can record nothing any more. */
    failed,
    async start(): Promise<void> {
      await ledger.start();
      log.info({ replica }, "this replica is registered");
      peers.start();
      sequencer.start();
    },
    /** It is seen to live until nothing more is asked of it. */
    async close(): Promise<void> {
      await sequencer.close();
      await peers.close();
      await ledger.close();
    },
  };
}
