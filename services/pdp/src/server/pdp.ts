import { type Config, tlsFilesOf } from "../config/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { type Log, silentLog } from "../foundation/log.ts";
import { createStoreClock } from "../foundation/store-time.ts";
import { readSequencerStatus } from "../stores/sequencer.ts";
import { readStoreTime } from "../stores/store-time.ts";
import { createMetrics, type Metrics } from "../telemetry/index.ts";
import { tendHolds } from "./budgets.ts";
import { openDoors } from "./doors.ts";
import { tendSigningKeys } from "./key-rooms.ts";
import { openRooms, type Rooms } from "./rooms.ts";
import { keepPartitions, openStore, type Store } from "./store.ts";
import { tendProposals } from "./tend-proposals.ts";
import { keepTls, type TlsKeeper } from "./tls/keeper.ts";
import { warm } from "./warm.ts";
import { findWrappingKeys } from "./wrapping-key.ts";
import { openCollecting } from "./young-heap.ts";

export interface PdpOptions {
  readonly config: Config;
  /** What `now` is in everything that is decided and recorded; the store's unless a log is played again. */
  readonly clock?: Clock;
  readonly log?: Log;
  /** A Postgres of its own that is gone afterwards, whatever the configuration says. */
  readonly throwAway?: boolean;
  /** False: breakers stop nothing, whatever documents say. For logs that are judged by policy alone. */
  readonly breakers?: boolean;
  /**
   * For a service that stays: has the engine's code compiled before anybody is let in, a second of work at most, keeps
   * a thread that reads all documents, and has little garbage collected at a time, while it compiles, tells many of
   * something, and waits.
   */
  readonly warmUp?: boolean;
}

/** A decision point that answers. Addresses are `host:port`, with their real ports. */
export interface RunningPdp {
  readonly httpAddress: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly metricsAddress: string;
  /** The first owner's key, at the first start on an empty store. It is nowhere else. */
  readonly bootstrapKey: string | undefined;
  /** Resolves with the reason when the service cannot go on by itself. */
  readonly failed: Promise<string>;
  /** Reads the certificate, its key and the trust bundle now; they are read every second anyway. */
  reload(): void;
  /** Not ready, finish what is in flight, record what waits, close. Safe to call twice. */
  close(): Promise<void>;
}

interface Held {
  readonly keeper: TlsKeeper | undefined;
  rooms?: Rooms;
  handles?: () => number;
}

function meters(store: Store, held: Held): Metrics {
  return createMetrics({
    process: true,
    pull: {
      stalenessSeconds: () => (held.rooms?.snapshots.stalenessMs() ?? 0) / 1000,
      policiesBroken: () => held.rooms?.snapshots.broken().length ?? 0,
      differences: () => held.rooms?.snapshots.differencesFound() ?? 0,
      rules: () => held.rooms?.snapshots.rules() ?? 0,
      revoked: () => held.rooms?.snapshots.revoked() ?? { revocations: 0, halts: 0 },
      revision: () => {
        const revisions = [...(held.rooms?.snapshots.revisions().values() ?? [])];
        return Math.max(0, ...revisions.map(({ security, policy }) => Number(security + policy)));
      },
      certificateSecondsLeft: held.keeper?.secondsLeft,
      certificateFilesUnusable: held.keeper && (() => (held.keeper?.intact() === false ? 1 : 0)),
      streamHandles: () => held.handles?.() ?? 0,
      holdsOpen: async () => {
        const { rows } = await store.pool.query("select count(*)::int as count from hold");
        return rows[0]?.count ?? 0;
      },
      sequencer: () => readSequencerStatus(store.pool),
      defaultPartitionRows: async () => {
        const { rows } = await store.pool.query("select remit_default_partition_rows()::int as count");
        return rows[0]?.count ?? 0;
      },
    },
  });
}

/** Opens the house, room by room; whatever fails, what was opened before it is closed again. */
export async function startPdp(options: PdpOptions): Promise<RunningPdp> {
  const { config, log = silentLog, throwAway = false, breakers = true, warmUp: engine = false } = options;
  const open: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of open.splice(0).reverse()) {
      await close().catch((error: unknown) => log.error({ error }, "something did not close cleanly"));
    }
  };
  try {
    const files = tlsFilesOf(config);
    const keeper = files && keepTls({ files, log });
    if (keeper) open.push(async () => keeper.close());
    const collecting = engine ? openCollecting() : undefined;
    open.push(async () => collecting?.close());
    const collectingPause = collecting?.pause;
    const store = await openStore({ config, log, throwAway, collectingPause, crowdPause: collecting?.crowdPause });
    open.push(store.close);
    const held: Held = { keeper };
    const metrics = meters(store, held);
    const wrapping = await findWrappingKeys(config, throwAway);
    const uptime: Clock = { now: () => performance.now() };
    const storeClock = createStoreClock(uptime, await readStoreTime(store.pool, uptime.now));
    const clock = options.clock ?? storeClock;
    const pauses = { collectingPause, crowdPause: collecting?.crowdPause };
    const times = { ...pauses, onWait: collecting?.onWait };
    const rooms = await openRooms({ config, store, wrapping, clock, storeClock, log, breakers, ...times, metrics });
    held.rooms = rooms;
    open.push(rooms.close);
    const { policyStore: policies, snapshots, reader } = rooms;
    const stopWarming = await warm({ policies, snapshots, reader, log, engine });
    open.push(async () => stopWarming());
    const stopPartitions = keepPartitions(store.pool, log);
    open.push(async () => stopPartitions());
    const stopTending = await tendSigningKeys(rooms.custody, config.signingKeyDays, log);
    open.push(async () => stopTending());
    const stopExpiring = await tendProposals({ pool: store.pool, proposals: rooms.proposals, config, log });
    open.push(async () => stopExpiring());
    const stopHolds = tendHolds(rooms.expireHolds, log);
    open.push(async () => stopHolds());
    const doors = await openDoors({ config, clock, log, rooms, metrics, keeper, ...pauses });
    held.handles = doors.handles;
    open.push(doors.close);
    // Last, since its key is shown once: nothing that could still fail comes between making it and answering it.
    const bootstrapKey = await rooms.keys.bootstrap();
    let closed: Promise<void> | undefined;
    const { close: _, handles: __, ...addresses } = doors;
    return {
      ...addresses,
      bootstrapKey,
      reload: () => keeper?.reload(),
      failed: Promise.race([store.lost, rooms.failed]),
      close() {
        closed ??= closeAll();
        return closed;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
