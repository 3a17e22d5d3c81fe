import {
  CommitFailure,
  type LedgerStore,
  type LedgerWriter,
  type NewRecord,
  type RecordOutcome,
  type StoredRecord,
} from "../../src/ledger/index.ts";

/** The rules of the protocol that a store follows, each with ways to get it wrong. */
export interface Rules {
  /** What shutting a writer out does about a statement that runs. */
  readonly fence: "waits" | "does_not_wait" | "does_nothing";
  /** What a statement asks before it inserts. */
  readonly statement: "finds_its_writer_alive" | "does_not_ask";
  readonly lookUp: "reads" | "finds_nothing";
  /** What a writer counts on from. */
  readonly base: "greatest_seen" | "count_of_batch";
  /** What it means that fewer rows were inserted than given. */
  readonly missing: "looked_up" | "means_fenced" | "means_inserted";
  /** What a lost acknowledgement is told as. */
  readonly lost: "unknown" | "not_recorded";
  /** Whether a bad row is told apart from its batch. */
  readonly poison: "alone" | "whole_batch_fenced";
}

export const protocol: Rules = {
  fence: "waits",
  statement: "finds_its_writer_alive",
  lookUp: "reads",
  base: "greatest_seen",
  missing: "looked_up",
  lost: "unknown",
  poison: "alone",
};

/** A tenant whose records the store cannot hold. */
export const POISON = "poison";

export interface Row extends StoredRecord {
  readonly key: string;
  readonly request: string;
}

interface Writer {
  readonly epoch: bigint;
  readonly replica: string;
  alive: boolean;
  /** Settles when the statement that holds the row has ended. */
  locked: Promise<void> | null;
  readonly connection: Connection;
}

interface Connection {
  gone: boolean;
  /** Fails what waits for an answer. */
  breakOff: () => void;
  /** Whether the backend dies with its connection. */
  killed: boolean;
  readonly lost: Promise<void>;
  readonly tellLost: () => void;
}

const SLEEPS = 40;

type Step = (name: string) => Promise<void>;

/** A store in memory that happens step by step, and what can befall it. */
export interface World {
  store(replica: string): LedgerStore;
  readonly rows: Row[];
  /** Rows that a writer recorded after it had been shut out. */
  readonly late: Row[];
  readonly security: Map<string, bigint>;
  /** Breaks the connection of a writer. A backend that lives on does what it was told. */
  cut(epoch: bigint, backend: "killed" | "lives_on"): void;
  /** Writers whose connection is open. */
  connected(): bigint[];
  /** Those of them whose statement is running. */
  busy(): bigint[];
  /** While it is away nothing connects. */
  setAway(away: boolean): void;
  /** Loses the next answer to a fence, a look-up or a new writer. */
  loseNextAnswer(): void;
  fenceByHand(epoch: bigint): void;
  fenceReplica(replica: string): void;
}

export const keyOf = (record: Pick<NewRecord, "tenant" | "session" | "key">) =>
  `${record.tenant}/${record.session}/${Buffer.from(record.key).toString("hex")}`;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function newConnection(): Connection {
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<void>();
  return { gone: false, killed: false, breakOff: () => {}, lost, tellLost };
}

export function createWorld(rules: Rules, step: Step): World {
  const rows: Row[] = [];
  const late: Row[] = [];
  const byKey = new Map<string, Row>();
  const security = new Map<string, bigint>();
  const writers = new Map<bigint, Writer>();
  const deadReplicas = new Set<string>();
  let away = false;
  let losing = false;

  const outcomeUnder = (record: NewRecord): RecordOutcome | null => {
    const row = byKey.get(keyOf(record));
    if (!row) return null;
    if (row.id === record.id) return { outcome: "inserted", ref: { epoch: row.epoch, n: row.n } };
    return row.request === hex(record.request)
      ? { outcome: "existing", record: row }
      : { outcome: "reused", record: row };
  };

  /** What the statement does at its commit. */
  const insert = (writer: Writer, base: bigint, fresh: readonly NewRecord[]): Map<string, bigint> => {
    const inserted = new Map<string, bigint>();
    for (const record of fresh) {
      const key = keyOf(record);
      // Rows are joined by their ids: one that stands twice in a batch would be recorded twice.
      if (byKey.has(key) && !inserted.has(record.id)) continue;
      const n = base + BigInt(inserted.size) + 1n;
      if (rows.some((row) => row.epoch === writer.epoch && row.n === n)) {
        throw new CommitFailure("broken", "a number was given twice");
      }
      const { id, tenant, session, kind, digest, body } = record;
      const row: Row = {
        epoch: writer.epoch,
        n,
        id,
        tenant,
        session,
        kind,
        digest,
        body,
        key,
        request: hex(record.request),
      };
      rows.push(row);
      if (!writer.alive) late.push(row);
      byKey.set(key, row);
      inserted.set(id, n);
    }
    return inserted;
  };

  /** A backend runs one statement; whether anybody still listens is not its concern. */
  const backend = async (writer: Writer, base: bigint, batch: readonly NewRecord[]) => {
    await step("statement arrives");
    if (writer.connection.killed) return null;
    while (writer.locked) await writer.locked;
    const { promise, resolve: unlock } = Promise.withResolvers<void>();
    writer.locked = promise;
    try {
      if (rules.statement === "finds_its_writer_alive" && !writer.alive) throw new CommitFailure("fenced", "dead");
      const fresh = batch.filter((record) => record.securityRevision >= (security.get(record.tenant) ?? 0n));
      if (batch.some((record) => record.tenant === POISON)) {
        throw new CommitFailure(rules.poison === "alone" ? "poisoned" : "fenced", "a bad row");
      }
      await step("statement commits");
      // A backend that nobody listens to any more may take its time: that is what makes reading too early wrong.
      for (let slept = 0; writer.connection.gone && slept < SLEEPS; slept++) await step("backend sleeps");
      return writer.connection.killed ? null : insert(writer, base, fresh);
    } finally {
      writer.locked = null;
      unlock();
    }
  };

  const outcomesOf = (writer: Writer, batch: readonly NewRecord[], inserted: Map<string, bigint>): RecordOutcome[] =>
    batch.map((record) => {
      const n = inserted.get(record.id);
      if (n !== undefined) return { outcome: "inserted", ref: { epoch: writer.epoch, n } };
      if (rules.missing === "means_inserted") return { outcome: "inserted", ref: { epoch: writer.epoch, n: 1n } };
      return outcomeUnder(record) ?? { outcome: "stale" };
    });

  const commitOn = (writer: Writer): LedgerWriter["commit"] => {
    let base = 0n;
    const lost = () => new CommitFailure(rules.lost === "unknown" ? "lost" : "fenced", "the connection broke");
    const run = async (batch: readonly NewRecord[]) => {
      const inserted = await backend(writer, base, batch);
      await step("answer travels");
      if (!inserted || writer.connection.gone) throw lost();
      base = rules.base === "greatest_seen" ? base + BigInt(inserted.size) : base + BigInt(batch.length);
      if (inserted.size === batch.length) return outcomesOf(writer, batch, inserted);
      if (rules.missing === "means_fenced") throw new CommitFailure("fenced", "fewer rows than given");
      await step("second look travels");
      if (writer.connection.gone) throw lost();
      return outcomesOf(writer, batch, inserted);
    };
    return (batch) =>
      new Promise((resolve, reject) => {
        if (writer.connection.gone) return reject(lost());
        writer.connection.breakOff = () => reject(lost());
        run(batch).then(resolve, reject);
      });
  };

  /** A request outside of the commit: it may be kept from arriving, and its answer may be lost. */
  const ask = async <Value>(name: string, work: () => Promise<Value> | Value): Promise<Value> => {
    await step(name);
    if (away) throw new Error("the store is away");
    const value = await work();
    const unheard = losing;
    losing = false;
    await step(`answer to ${name}`);
    if (away || unheard) throw new Error("the answer was lost");
    return value;
  };

  const openWriter = (replica: string): LedgerWriter => {
    if (deadReplicas.has(replica)) throw new CommitFailure("fenced", "the replica is dead");
    const connection = newConnection();
    const writer: Writer = { epoch: BigInt(writers.size + 1), replica, alive: true, locked: null, connection };
    writers.set(writer.epoch, writer);
    const close = async () => cut(writer.epoch, "lives_on");
    return { epoch: writer.epoch, lost: connection.lost, commit: commitOn(writer), close };
  };

  const fence = async (epoch: bigint) => {
    const writer = writers.get(epoch);
    if (!writer || rules.fence === "does_nothing") return;
    while (rules.fence === "waits" && writer.locked) await writer.locked;
    writer.alive = false;
  };

  const cut: World["cut"] = (epoch, what) => {
    const connection = writers.get(epoch)?.connection;
    if (!connection || connection.gone) return;
    connection.gone = true;
    connection.killed = what === "killed";
    connection.breakOff();
    connection.tellLost();
  };

  const connected = () => [...writers.values()].filter((writer) => !writer.connection.gone);
  const find = async (wanted: (row: Row) => boolean) => rows.find(wanted) ?? null;

  return {
    rows,
    late,
    security,
    cut,
    connected: () => connected().map((writer) => writer.epoch),
    busy: () => connected().flatMap((writer) => (writer.locked ? [writer.epoch] : [])),
    setAway: (now) => {
      away = now;
      if (now) for (const epoch of writers.keys()) cut(epoch, "killed");
    },
    loseNextAnswer: () => {
      losing = true;
    },
    fenceByHand: (epoch) => {
      const writer = writers.get(epoch);
      // A fence waits for the statement that holds the row.
      if (writer && !writer.locked) writer.alive = false;
    },
    fenceReplica: (replica) => {
      deadReplicas.add(replica);
      for (const writer of writers.values()) if (writer.replica === replica && !writer.locked) writer.alive = false;
    },
    store: (replica) => ({
      register: () => ask("register", () => {}),
      openWriter: () => ask("new writer", () => openWriter(replica)),
      fenceWriter: (epoch) => ask("fence", () => fence(epoch)),
      lookUp: (batch) =>
        ask("look up", () => batch.map((record) => (rules.lookUp === "reads" ? outcomeUnder(record) : null))),
      findByKeys: (tenant, session, _day, keys) =>
        Promise.all(keys.map((key) => find((row) => row.key === keyOf({ tenant, session, key })))),
      findById: (tenant, id) => find((row) => row.tenant === tenant && row.id === id),
      findBySubject: async () => [],
      listDecisions: async () => ({ records: [], more: false }),
      withAsides: async () => [],
      close: async () => {
        for (const writer of writers.values()) if (writer.replica === replica) cut(writer.epoch, "lives_on");
      },
    }),
  };
}
