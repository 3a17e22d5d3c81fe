import type { Account, AccountName } from "../../src/budgets/index.ts";
import type { HeldCall } from "../../src/decisions/index.ts";
import {
  CommitFailure,
  type LedgerWriter,
  type NewRecord,
  type RecordOutcome,
  type StoredRecord,
} from "../../src/ledger/index.ts";
import { labelOf } from "./labels.ts";
import { type Lane, newConnection, type WorldRules } from "./lanes.ts";
import { nobody, type Scheduler } from "./scheduler.ts";
import {
  type AccountRow,
  balanceOf,
  type Committed,
  commit,
  emptyStore,
  type HoldRow,
  keyOf,
  openAccount,
  overdue,
  type Place,
  type RecordRow,
  usualFreeOf,
} from "./store-model.ts";
import { watchFrom } from "./usual.ts";
import {
  type CommitSeen,
  type Declared,
  type Replica,
  type Settings,
  START_MS,
  TENANT,
  type World,
} from "./world-port.ts";

const SLEEPS = 25;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

export function createWorld(
  rules: WorldRules,
  scheduler: Scheduler,
  declared: readonly Declared[],
  seen: CommitSeen,
): World {
  const state = emptyStore(rules.store);
  const lanes: Lane[] = [];
  const dead = new Set<string>();
  const wrong: string[] = [];
  const clung = new Set<bigint>();
  const monotonic = scheduler.timing(nobody);
  const byName = new Map(declared.map((budget) => [budget.name, budget]));
  const frozen = new Set<bigint>();
  const settledBefore = new Set<string>();
  let settings: Settings = { suspended: false, watched: false };
  const security = () => state.security.get(TENANT) ?? 1n;
  // In the order in which they were recorded; what a look that was too early saw is the first so many.
  const places = new Map<string, number>();
  let seenBeforeFence = 0;
  let deletions = 0;
  let leaptMs = START_MS;
  let away = false;
  let losing = false;

  const nowMs = () => leaptMs + monotonic.now();
  const cuts = (replica: Replica) => away || !replica.reaches;

  const storedOf = ({ record, epoch, n }: RecordRow): StoredRecord => {
    const { id, tenant, session, kind, digest, body, aside } = record;
    return { epoch, n, id, tenant, session, kind, digest, body, ...(aside && { aside }) };
  };
  const underKey = (record: Pick<NewRecord, "tenant" | "session" | "sessionDay" | "key">): RecordRow | undefined =>
    state.records.get(state.calls.get(keyOf(record)) ?? "");
  const taken = (record: NewRecord): RecordOutcome | null => {
    const row = underKey(record);
    if (!row) return null;
    if (row.record.id === record.id) return { outcome: "inserted", ref: { epoch: row.epoch, n: row.n } };
    const same = hex(row.record.request) === hex(record.request);
    return { outcome: same ? "existing" : "reused", record: storedOf(row) };
  };

  /** What the statement does at its commit. */
  const run = (lane: Lane, base: bigint, batch: readonly NewRecord[], more: Partial<Place>) => {
    const place = { epoch: lane.epoch, base, nowMs: nowMs(), ...more };
    const committed = commit(state, batch, place);
    if (committed.failed !== undefined) {
      wrong.push(`a CHECK was broken: ${committed.failed}`);
      throw new CommitFailure("poisoned", committed.failed);
    }
    if (!lane.alive && committed.inserted.size > 0) wrong.push(`writer ${lane.epoch} recorded after it was shut out`);
    for (const [id, n] of committed.inserted) {
      places.set(id, places.size);
      if (n !== lane.last + 1n) wrong.push(`writer ${lane.epoch} gave ${n} after ${lane.last}`);
      lane.last = n;
    }
    seen(batch, committed, place);
    return committed;
  };

  const freeNow = (batch: readonly NewRecord[]) => {
    const accounts = batch
      .flatMap(({ charge }) => charge?.moves ?? [])
      .flatMap(({ account }) => state.accounts.get(account) ?? []);
    return new Map(accounts.map((account) => [account.id, usualFreeOf(balanceOf(state, account))]));
  };

  /** A backend runs one statement; whether anybody still listens is not its concern. */
  const backend = async (replica: Replica, lane: Lane, base: bigint, batch: readonly NewRecord[]) => {
    const labels = [...new Set(batch.map(labelOf))];
    const step = (where: string) =>
      scheduler.step(
        nobody,
        labels.map((label) => `${label}: ${where}`),
        replica,
      );
    await step("arrives");
    if (lane.connection.killed) return null;
    while (lane.locked) await lane.locked;
    const { promise, resolve: unlock } = Promise.withResolvers<void>();
    lane.locked = promise;
    try {
      if (rules.statement === "finds_its_writer_alive" && !lane.alive) throw new CommitFailure("fenced", "dead");
      const reads = rules.store.admission === "read_then_write" || rules.store.alarms === "read_before";
      const free = reads ? freeNow(batch) : undefined;
      await step("commits");
      // A backend that nobody listens to any more may take its time: that is what makes reading too early wrong.
      for (let slept = 0; lane.connection.gone && slept < SLEEPS; slept++) await step("commits");
      const clings = batch.some(({ charge }) => charge?.moves.some(({ account }) => clung.has(account)));
      for (let waited = 0; clings && clung.size > 0 && waited < 3; waited++) await step("waits for an account");
      return lane.connection.killed
        ? null
        : run(lane, base, batch, { ...(free && { seen: free }), locked: new Set(clung) });
    } finally {
      lane.locked = null;
      unlock();
    }
  };

  /** What became of each record. Who has the key of one that is missing is read in a second look. */
  const outcomeOf = (
    lane: Lane,
    record: NewRecord,
    committed: Exclude<Committed, { failed: string }>,
  ): RecordOutcome => {
    const n = committed.inserted.get(record.id);
    const balances = (record.charge?.moves ?? []).flatMap(({ account }) => committed.balances.get(account) ?? []);
    if (n !== undefined) return { outcome: "inserted", ref: { epoch: lane.epoch, n }, balances };
    if (rules.fewer === "all_there") return { outcome: "inserted", ref: { epoch: lane.epoch, n: lane.last }, balances };
    const left = committed.left.get(record.id);
    const found = taken(record);
    if (found) return found;
    if (left?.why === "short") return { outcome: "short", shorts: left.shorts };
    return { outcome: left?.why === "gone" ? "gone" : "stale" };
  };

  const commitOn = (replica: Replica, lane: Lane): LedgerWriter["commit"] => {
    let base = 0n;
    const lost = () => new CommitFailure(rules.lost === "unknown" ? "lost" : "fenced", "the connection broke");
    const attempt = async (batch: readonly NewRecord[]) => {
      const committed = await backend(replica, lane, base, batch);
      const labels = [...new Set(batch.map(labelOf))];
      await scheduler.step(
        replica,
        labels.map((label) => `${label}: answer travels`),
      );
      if (!committed || committed.failed !== undefined || lane.connection.gone) throw lost();
      base = rules.numbers === "greatest" ? lane.last : base + BigInt(batch.length);
      if (committed.inserted.size < batch.length) {
        if (rules.fewer === "fenced") throw new CommitFailure("fenced", "fewer rows than were sent");
        await scheduler.step(
          replica,
          labels.map((label) => `${label}: second look`),
        );
        if (lane.connection.gone) throw lost();
      }
      return batch.map((record) => outcomeOf(lane, record, committed));
    };
    return (batch) =>
      new Promise((resolve, reject) => {
        if (lane.connection.gone) return reject(lost());
        lane.connection.breakOff = () => reject(lost());
        attempt(batch).then(resolve, reject);
      });
  };

  /** A request outside of the commit: it may be kept from arriving, and its answer may be lost. */
  const ask = async <Value>(replica: Replica, name: string, work: () => Promise<Value> | Value): Promise<Value> => {
    await scheduler.step(nobody, [`${name}: arrives`], replica);
    const value = cuts(replica) ? undefined : { is: await work() };
    const unheard = losing;
    losing = false;
    await scheduler.step(replica, [`${name}: answer travels`]);
    if (!value || unheard || cuts(replica)) throw new Error("the store did not answer");
    return value.is;
  };

  const isSeen = (record: NewRecord): boolean => {
    if (rules.lookUp === "reads") return true;
    const place = places.get(underKey(record)?.record.id ?? "");
    return rules.lookUp !== "finds_nothing" && place !== undefined && place < seenBeforeFence;
  };
  const openWriter = (replica: Replica): LedgerWriter => {
    if (dead.has(replica.name)) throw new CommitFailure("fenced", "the replica is dead");
    const connection = newConnection();
    const lane: Lane = {
      epoch: BigInt(lanes.length + 1),
      replica: replica.name,
      alive: true,
      last: 0n,
      locked: null,
      connection,
    };
    lanes.push(lane);
    const close = async () => cutLane(lane, "lives_on");
    return { epoch: lane.epoch, lost: connection.lost, commit: commitOn(replica, lane), close };
  };

  const fenceLane = async (lane: Lane) => {
    if (rules.fence === "does_nothing") return;
    seenBeforeFence = places.size;
    while (rules.fence === "waits" && lane.locked) await lane.locked;
    lane.alive = false;
  };
  const cutLane = ({ connection }: Lane, what: "killed" | "lives_on") => {
    if (connection.gone) return;
    connection.gone = true;
    connection.killed = what === "killed";
    connection.breakOff();
    connection.tellLost();
  };
  const lanesOf = ({ name }: Replica) => lanes.filter(({ replica }) => replica === name);
  const cut: World["cut"] = (replica, what) => lanesOf(replica).forEach((lane) => void cutLane(lane, what));

  const open = (replica: Replica, { budget, key }: AccountName, then?: number): Account | null => {
    const spec = byName.get(budget);
    if (!spec || !state.budgets.has(`${TENANT}/${budget}`)) return null;
    const { unit, hard, windowMs } = spec;
    const atMs = then ?? (state.rules.windows === "store_time" ? nowMs() : nowMs() + replica.skewMs);
    const opensAtMs = windowMs === undefined ? 0 : Math.floor(atMs / windowMs) * windowMs;
    const closesAtMs = windowMs === undefined ? Number.POSITIVE_INFINITY : opensAtMs + windowMs;
    const row = openAccount(state, { tenant: TENANT, budget, key, unit, hard, opensAtMs, closesAtMs, ownLimit: null });
    if (spec.anomaly && !row.history) watchFrom(state, row);
    const { history } = row;
    const account = { budget, key, id: row.id, unit, hard, opensAtMs, closesAtMs, balance: balanceOf(state, row) };
    return history ? { ...account, history } : account;
  };
  const endByOperator = async (replica: Replica, ending: NewRecord): Promise<boolean> => {
    const writer = await ask(replica, "new writer", () => openWriter(replica));
    try {
      const [ended] = await writer.commit([ending]);
      return ended?.outcome === "inserted";
    } finally {
      await writer.close();
    }
  };
  const heldCall = ({ amounts, expiresAtMs, ...hold }: HoldRow): HeldCall => ({
    ...hold,
    ...{ agent: "clerk", sinceMs: 0, untilMs: expiresAtMs },
    amounts: [...amounts].map(([account, micros]) => {
      const { budget, unit } = state.accounts.get(account) as AccountRow;
      return { account, budget: budget ?? undefined, unit, micros };
    }),
  });
  const hardOf = (account: bigint) => (state.accounts.get(account) as AccountRow).hard;

  return {
    ...{ state, nowMs, cut, clung, frozen, settledBefore, wrong, security, read: ask },
    settings: () => settings,
    deletions: () => deletions,
    remove: (budget) => {
      if (state.budgets.delete(`${TENANT}/${budget}`)) deletions++;
    },
    set: (changed) => {
      settings = { ...settings, ...changed };
      state.security.set(TENANT, security() + 1n);
    },
    leap: (ms) => {
      leaptMs += ms;
    },
    setAway: (now) => {
      away = now;
      if (now) for (const lane of lanes) cutLane(lane, "killed");
    },
    loseNextAnswer: () => {
      losing = true;
    },
    heal: () => {
      losing = false;
      clung.clear();
    },
    fence: async (replica) => {
      await scheduler.step(nobody, ["fence of a replica: arrives"], replica);
      dead.add(replica.name);
      await Promise.all(lanesOf(replica).map(fenceLane));
    },
    ledgerStore: (replica) => ({
      register: () => ask(replica, "register", () => {}),
      openWriter: () => ask(replica, "new writer", () => openWriter(replica)),
      fenceWriter: (epoch) => ask(replica, "fence", () => fenceLane(lanes[Number(epoch) - 1] as Lane)),
      lookUp: (batch) => ask(replica, "look up", () => batch.map((one) => (isSeen(one) ? taken(one) : null))),
      findByKeys: (tenant, session, sessionDay, keys) =>
        ask(replica, "calls read", () =>
          keys.map((key) => {
            const row = underKey({ tenant, session, sessionDay, key });
            return row ? storedOf(row) : null;
          }),
        ),
      findById: (_tenant, id) =>
        ask(replica, "decision read", () => {
          const row = state.records.get(id);
          return row ? storedOf(row) : null;
        }),
      findBySubject: (_tenant, subject) =>
        ask(replica, "reports read", () =>
          [...state.records.values()].filter(({ record }) => record.subject === subject).map(storedOf),
        ),
      listDecisions: async () => ({ records: [], more: false }),
      withAsides: async () => [],
      close: async () => cut(replica, "lives_on"),
    }),
    operators: (replica) => ({
      hold: (id) =>
        ask(replica, "hold read", () => {
          const row = state.holds.get(id);
          return row ? heldCall(row) : null;
        }),
      end: (ending) => endByOperator(replica, ending),
    }),
    budgetStore: (replica) => ({
      openAccounts: (_tenant, names) => ask(replica, "accounts opened", () => names.map((name) => open(replica, name))),
      openAccountsThen: (_tenant, names, atMs) =>
        ask(replica, "accounts opened", () => names.map((name) => open(replica, name, atMs))),
      balances: (_tenant, accounts) =>
        ask(replica, "balances read", () =>
          accounts.flatMap((id) => state.accounts.get(id) ?? []).map((row) => balanceOf(state, row)),
        ),
      overdueHolds: (limit) =>
        ask(replica, "overdue read", () =>
          overdue(state, nowMs(), limit).map(({ amounts, ...hold }) => ({
            ...hold,
            parts: [...amounts].map(([account, amount]) => ({ account, amount, hard: hardOf(account) })),
          })),
        ),
    }),
  };
}
