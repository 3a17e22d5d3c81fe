import pg, {
  type Client,
  type ClientBase,
  type ClientConfig,
  type Pool,
  type PoolClient,
  type PoolConfig,
  type QueryArrayConfig,
  type QueryArrayResult,
} from "pg";
import { createCrowdRoom } from "../foundation/crowd-room.ts";
import type { Pause } from "../foundation/in-slices.ts";
import type { Log } from "../foundation/log.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { createLine, type Line } from "./line.ts";
import { readLongRows } from "./long-rows.ts";

/** Named in every BEGIN: a server's default must not decide what a transaction may see. */
export type Isolation = "read committed" | "repeatable read" | "repeatable read read only" | "serializable";

/** Server settings of one connection, by their names in Postgres. */
type Settings = Readonly<Record<string, string | number>>;

export interface PoolOptions {
  /** Of the runtime role. */
  readonly url: string;
  readonly name: string;
  readonly log: Log;
  readonly connectionsMax?: number;
  /** Between the parts of a long answer; undefined: a turn of the event loop. */
  readonly pause?: Pause | undefined;
  /** While very many are told that no connection was free in time; undefined: nothing. */
  readonly crowdPause?: Pause | undefined;
  readonly statementTimeoutMs?: number;
  /** Asked on every new connection before it is used; what it throws is what the query that wanted it throws. */
  readonly verify?: (client: ClientBase) => Promise<void>;
}

export interface DirectOptions {
  /** Of the runtime role; direct, never through a transaction pooler. */
  readonly url: string;
  readonly name: string;
  readonly log: Log;
  readonly statementTimeoutMs?: number;
  readonly transactionTimeoutMs?: number;
  readonly idleInTransactionTimeoutMs?: number;
  /** Its owner gives the connection up when an answer does not come in time: no query has a timer of its own. */
  readonly watched?: boolean;
  readonly verify?: (client: ClientBase) => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 2_000;
const TCP_USER_TIMEOUT_MS = 2_000;
/** What we wait longer than the server before we take it for gone. */
const READ_GRACE_MS = 2_000;

/** The URL with settings that the server applies from the first statement on; settings of the URL's own stay. */
function withSettings(url: string, settings: Settings): string {
  const changed = new URL(url);
  const own = changed.searchParams.get("options") ?? "";
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  changed.searchParams.set("options", [own, ...ours].filter((part) => part !== "").join(" "));
  // A space as %20: not every reader of such URLs takes `+` for one.
  return changed.toString().replaceAll("+", "%20");
}

/** Those for whom no connection was free that are told so in one turn: each answers a caller, and ends its stream. */
const LATE_AT_ONCE_MAX = 8;

type Connected = (error: Error | undefined, client: PoolClient | undefined, done: (broken?: unknown) => void) => void;

/**
 * Whoever wants a connection where all are lent out waits in a line of ours. In pg's own each has a timer, and all who
 * came at one moment are told at one moment that none was free.
 */
class LinedPool extends pg.Pool {
  readonly #line: Line;
  readonly #most: number;
  /** One connection is opened in a turn: that takes some tenths of a millisecond. */
  readonly #opening = createCrowdRoom({ atOnceMax: 1 });

  constructor(config: PoolConfig & { readonly max: number; readonly crowdPause: Pause | undefined }) {
    super(config);
    this.#most = config.max;
    this.#line = createLine({
      ...{ placesMax: config.max, waitMsMax: CONNECT_TIMEOUT_MS },
      late: () => new Error("no connection was free in time"),
      crowd: createCrowdRoom({ atOnceMax: LATE_AT_ONCE_MAX, pause: config.crowdPause }),
    });
    this.on("release", this.#line.leave);
  }

  override connect(): Promise<PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<PoolClient> | undefined {
    if (connected) return void this.#enter(connected);
    return new Promise((resolve, reject) => {
      this.#enter((error, client) => (client ? resolve(client) : reject(error)));
    });
  }

  #enter(connected: Connected): void {
    this.#line.enter((late) => {
      if (late) return connected(late, undefined, () => {});
      const connect = () =>
        super.connect((error, client, done) => {
          // One that is not had is never given back.
          if (!client) this.#line.leave();
          connected(error, client, done);
        });
      if (this.idleCount === 0 && this.totalCount < this.#most) this.#opening.come(connect);
      else connect();
    });
  }
}

/**
 * A bounded pool for reads and the admin plane. A connection that breaks while it is idle is logged and replaced; it
 * never ends the process.
 */
export function openPool(options: PoolOptions): Pool {
  const {
    log,
    name,
    verify,
    connectionsMax = 10,
    statementTimeoutMs = 5_000,
    pause = turnOfTheLoop,
    crowdPause,
  } = options;
  class Client extends pg.Client {
    constructor(config?: ClientConfig) {
      super(config);
      readLongRows(this.connection, pause);
    }
  }
  const url = withSettings(options.url, {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    tcp_user_timeout: TCP_USER_TIMEOUT_MS,
  });
  const pool = new LinedPool({
    connectionString: url,
    Client,
    crowdPause,
    application_name: name,
    max: connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs + READ_GRACE_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // A connection that breaks while it is lent out says so to its query, and once more as an event that would end the
    // process if nobody listened; the pool listens to idle ones alone.
    onConnect: async (client: ClientBase) => {
      client.on("error", () => {});
      await verify?.(client);
    },
  });
  pool.on("error", (error) => log.warn({ pool: name, error: error.message }, "an idle connection to Postgres broke"));
  return pool;
}

/**
 * A connection of its own, for a writer or the poll. Resolves when it is open and verified. Its owner hears of its end
 * by the events `error` and `end`, and ends it.
 */
export async function openDirect(options: DirectOptions): Promise<Client> {
  const { log, name, verify, watched = false, statementTimeoutMs = 5_000, transactionTimeoutMs = 6_000 } = options;
  // The server's limits say nothing any more once the network has swallowed the connection.
  const answerMsMax = statementTimeoutMs + READ_GRACE_MS;
  const client = new pg.Client({
    connectionString: withSettings(options.url, {
      statement_timeout: statementTimeoutMs,
      // Reaches what the others do not: a client that stopped between a statement and its Sync.
      transaction_timeout: transactionTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 2_000,
      tcp_user_timeout: TCP_USER_TIMEOUT_MS,
      plan_cache_mode: "force_generic_plan",
    }),
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(!watched && { query_timeout: answerMsMax }),
    keepAlive: true,
  });
  client.on("error", (error) => log.warn({ connection: name, error: error.message }, "a connection to Postgres broke"));
  await client.connect();
  // Its owner watches from when it has it.
  const late = setTimeout(() => client.connection.stream.destroy(), answerMsMax);
  try {
    await verify?.(client);
  } catch (cause) {
    await client.end().catch(() => {});
    throw cause;
  } finally {
    clearTimeout(late);
  }
  return client;
}

/**
 * One statement, whose rows come as arrays, for connections that are asked often: by a callback, and without a timer for
 * each query where the connection is watched. With pg's own promise, or with such a timer, what a query leaves behind,
 * once any of it has grown old, keeps all later ones from being collected while they are young: each collection then
 * copies the parameters and answers of hundreds of calls that are over.
 */
export function ask<Row extends unknown[]>(client: Client, config: QueryArrayConfig): Promise<QueryArrayResult<Row>> {
  return new Promise((resolve, reject) => {
    client.query<Row>(config, (error: Error | undefined, result) => (error ? reject(error) : resolve(result)));
  });
}

/** Runs `work` in a transaction of the named isolation: committed when it resolves, rolled back when it throws. */
export async function inTransaction<Answer, Connection extends ClientBase>(
  client: Connection,
  isolation: Isolation,
  work: (client: Connection) => Promise<Answer>,
): Promise<Answer> {
  await client.query(`begin isolation level ${isolation}`);
  try {
    const answer = await work(client);
    await client.query("commit");
    return answer;
  } catch (cause) {
    // When even this fails the connection is broken, and the server rolls back by itself.
    await client.query("rollback").catch(() => {});
    throw cause;
  }
}

/** The same on a connection of a pool, which gets it back, or ends it when something was thrown. */
export async function withTransaction<Answer>(
  pool: Pool,
  isolation: Isolation,
  work: (client: PoolClient) => Promise<Answer>,
): Promise<Answer> {
  const client = await pool.connect();
  let broken = true;
  try {
    const answer = await inTransaction(client, isolation, work);
    broken = false;
    return answer;
  } finally {
    client.release(broken);
  }
}

const RECONNECT_FIRST_MS = 25;
const RECONNECT_MAX_MS = 1_000;

/**
 * How long to wait before connecting again, in milliseconds: doubling from 25 to 1,000, and a random part of it, so that
 * a fleet whose Postgres comes back does not come back at once. `random` is in [0, 1).
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const whole = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(failures, 16));
  return Math.ceil(whole / 2 + (whole / 2) * random);
}
