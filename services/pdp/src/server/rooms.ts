import type { Config } from "../config/index.ts";
import {
  countedLedger,
  createAdmission,
  createBelieving,
  createBreakerResets,
  createBreakers,
  createBudgetBooks,
  createBudgetHolds,
  createChanges,
  createKeys,
  createLifecycle,
  createListAdminCalls,
  createListDecisions,
  createProposals,
  createRecordCall,
  createRegistry,
  createRevocations,
  createSessions,
  createSight,
  createStanding,
  createTenants,
  type MakeChange,
  type ProposalStore,
  prepareCoverings,
} from "../decisions/index.ts";
import { type Clock, systemClock } from "../foundation/clock.ts";
import { systemRandom, uuidMaker } from "../foundation/ids.ts";
import type { Pause } from "../foundation/in-slices.ts";
import type { WrappingKeys } from "../foundation/key-wrap.ts";
import type { Log } from "../foundation/log.ts";
import type { StoreClock } from "../foundation/store-time.ts";
import { systemTurnRoom } from "../foundation/turn-room.ts";
import { createRates, type IdentityPages } from "../identities/index.ts";
import { sealedLedger } from "../ledger/index.ts";
import { createSnapshots } from "../policies/index.ts";
import { createReader } from "../reading/index.ts";
import { createBreakerStore } from "../stores/breakers.ts";
import { createBudgetBooksStore } from "../stores/budget-books.ts";
import { createBudgetStore } from "../stores/budgets.ts";
import { checkCell } from "../stores/cell.ts";
import type { Feed } from "../stores/change-feed.ts";
import { createChangeStore } from "../stores/changes.ts";
import { createIdentityStore } from "../stores/identities.ts";
import { createIdentityPages } from "../stores/identity-pages.ts";
import { createPolicyStore } from "../stores/policies.ts";
import { createProposalStore } from "../stores/proposals.ts";
import { reading } from "../stores/reading.ts";
import { createRecordedChanges } from "../stores/recorded-change.ts";
import { createRevocationStore } from "../stores/revocations.ts";
import type { Metrics } from "../telemetry/index.ts";
import { openBehaviour } from "./behaviour.ts";
import { openDeciding } from "./deciding.ts";
import { followStore } from "./follow-store.ts";
import { openIdentities } from "./identities.ts";
import { openKeyRooms } from "./key-rooms.ts";
import { createReplica } from "./replica.ts";
import { openSealing } from "./sealing.ts";
import type { Store } from "./store.ts";

const RATES_MAX = 50_000;

interface Options {
  readonly config: Config;
  readonly store: Store;
  readonly wrapping: WrappingKeys;
  /** What `now` is in everything that is decided and recorded, as a rule the store's. Freshness goes by the system's own. */
  readonly clock: Clock;
  readonly storeClock: StoreClock;
  readonly log: Log;
  /** False: breakers stop nothing, whatever documents say. */
  readonly breakers: boolean;
  /** Between slices of long work whose results stay in use, such as compiling; undefined: a turn of the event loop. */
  readonly collectingPause: Pause | undefined;
  /** The same of work that callers wait for. */
  readonly crowdPause: Pause | undefined;
  /** Called while a caller alone waits for its commit. */
  readonly onWait: (() => void) | undefined;
  readonly metrics: Pick<
    Metrics,
    "committed" | "replicaFenced" | "reportedLate" | "holdExpired" | "compiled" | "breakerTripped"
  >;
}

type AuthorityRooms = Parameters<typeof createKeys>[0] &
  Parameters<typeof createRegistry>[0] &
  Parameters<typeof createLifecycle>[0] &
  Parameters<typeof createTenants>[0] &
  Parameters<typeof createRevocations>[0] &
  Parameters<typeof createBelieving>[0] &
  Parameters<typeof createBudgetBooks>[0] &
  Parameters<typeof createBudgetHolds>[0];

/** The rooms that change what widens authority. */
const authority = (rooms: AuthorityRooms) => ({
  registry: createRegistry(rooms),
  lifecycle: createLifecycle(rooms),
  tenants: createTenants(rooms),
  keys: createKeys(rooms),
  believing: createBelieving(rooms),
  revocations: createRevocations(rooms),
  budgetBooks: createBudgetBooks(rooms),
  budgetHolds: createBudgetHolds(rooms),
});

/** What the admin plane is answered by, besides what both planes share. */
function administration(
  rooms: AuthorityRooms &
    Parameters<typeof createBreakerResets>[0] &
    Parameters<typeof createRecordCall>[0] &
    Omit<Parameters<typeof createProposals>[0], "store"> & {
      readonly proposalStore: ProposalStore;
      readonly identityPages: IdentityPages;
    },
) {
  return {
    listDecisions: createListDecisions(rooms),
    listAdminCalls: createListAdminCalls(rooms),
    recordCall: createRecordCall(rooms),
    ...authority(rooms),
    breakerResets: createBreakerResets(rooms),
    budgetStandings: rooms.booksStore,
    identityPages: rooms.identityPages,
    storeTime: rooms.clock,
    authorityBy: (change: MakeChange) => authority({ ...rooms, change }),
    proposals: createProposals({ ...rooms, store: rooms.proposalStore }),
  };
}

/** What no decision waits for. */
const readStores = (pool: Store["pool"]) => ({
  books: reading(createBudgetStore(pool)),
  revocationStore: reading(createRevocationStore(pool)),
  proposalStore: reading(createProposalStore(pool)),
  booksStore: reading(createBudgetBooksStore(pool)),
  breakerStore: reading(createBreakerStore(pool)),
  identityPages: reading(createIdentityPages(pool)),
});

/** Every room, furnished. The only place that knows who lives where. */
export async function openRooms(options: Options) {
  const { config, store, wrapping, clock, storeClock, log, breakers, collectingPause, crowdPause, metrics } = options;
  const random = systemRandom();
  const newId = uuidMaker(random);
  // Ids of processes go by the system's clock, whatever time is played.
  const replica = newId(Date.now());
  const uptime: Clock = { now: () => performance.now() };

  // Before the ledger opens its connections: with another wrapping key this fails, and nothing is left open.
  const identityStore = reading(createIdentityStore(store.pool, collectingPause));
  const keyRooms = await openKeyRooms({ store, identityStore, wrapping, clock, random, newId });
  const { signingKeys, tokens } = keyRooms;

  const self = createReplica({ config, store, replica, log, storeClock, metrics, onWait: options.onWait });
  await self.start();
  const recorded = createRecordedChanges({ url: store.url, log, replica, verify: checkCell });
  const changeStore = createChangeStore({ pool: store.pool, recorded });
  const reads = readStores(store.pool);
  const policyStore = reading(createPolicyStore(store.pool, collectingPause));

  const reader = createReader({ pause: collectingPause });
  const made = { prepared: prepareCoverings, readCedar: reader.cedar, onCompiled: metrics.compiled, pause: crowdPause };
  const snapshots = createSnapshots({ store: policyStore, clock: uptime, log, compilePause: collectingPause, ...made });
  const { security } = snapshots;
  const onErased = (tenant: string) => identities.forget(tenant);
  const sealing = openSealing({ store, wrapping, random, newId, security, onErased });
  const { seal } = sealing;
  const { behaviour, ...counting } = await openBehaviour(store.pool, replica, log);
  const ledger = countedLedger(sealedLedger(self.ledger, seal), behaviour, metrics.breakerTripped);
  const change = createChanges({ store: changeStore, snapshots, seal: seal.seal, clock, newId });
  const held: { feed?: Feed } = {};
  const catchUp = async () => held.feed?.catchUp();
  const proving = { config, store: identityStore, tokens, clock, uptime, log, security, catchUp };
  const identities = openIdentities({ ...proving, sight: createSight({ change, clock, newId }) });
  const limited = { rates: createRates(RATES_MAX), callerCallsPerSecond: config.callerCallsPerSecond };
  const followed = { identities, snapshots, signingKeys, sealing };
  const feed = await followStore({ ...followed, store, intervalMs: config.pollMs, now: uptime.now, log });
  held.feed = feed;

  const sealed = { ledger, unsealed: self.ledger, seal: seal.seal, loopback: config.mode === "development" };
  const shared = { ...sealed, snapshots, identities, change, clock, random, newId };
  return {
    ledger,
    snapshots,
    identities,
    policyStore,
    admission: createAdmission({ snapshots, ledger, clock: uptime, ...limited }),
    ...openDeciding({
      ...{ snapshots, ledger, clock, newId, breakers: createBreakers(breakers ? behaviour : undefined) },
      ...{ pool: store.pool, marks: seal.marks, storeClock, log, metrics, crowdPause },
    }),
    standing: createStanding({ snapshots, identities, clock }),
    sessions: createSessions({ identities, snapshots, change, books: reads.books, clock, newId }),
    ...administration({
      ...{ store: changeStore, policies: policyStore, ...reads, read: reader.read, behaviour, ...shared },
      ...{ self: { id: replica, name: "remit" }, turns: systemTurnRoom(collectingPause) },
    }),
    reader,
    custody: keyRooms.custody(change, replica),
    jwks: signingKeys.jwks,
    otherEngine: feed.otherEngine,
    /** How far this machine's clock is ahead of the store's, in milliseconds. */
    clockSkewMs: () => storeClock.skewMs(systemClock),
    /** `failed` resolves with the reason when nothing can be recorded here any more. */
    ...{ failed: self.failed, ledgerGap: self.ledgerGap },
    /** Nothing may be asked any more when this is called. */
    async close(): Promise<void> {
      await counting.close();
      await feed.close();
      await reader.close();
      await recorded.close();
      await self.close();
    },
  };
}

export type Rooms = Awaited<ReturnType<typeof openRooms>>;
