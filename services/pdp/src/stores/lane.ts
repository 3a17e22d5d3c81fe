import type { Client, ClientBase, QueryArrayConfig, QueryArrayResult } from "pg";
import { type Log, silentLog } from "../foundation/log.ts";
import { openFailure } from "./commit-failure.ts";
import { ask, openDirect } from "./database.ts";

/**
 * A connection that is given up as a whole: when an answer does not come in time, when the server warns, when it
 * breaks. What was under way then fails, and nobody knows what became of it.
 */
export interface Lane {
  readonly client: Client;
  /** Resolves with the reason once the connection is gone. */
  readonly lost: Promise<Error>;
  gone(): boolean;
  /** Runs a statement; rows come as arrays. */
  query(config: QueryArrayConfig): Promise<QueryArrayResult>;
  /** Bounds what is done on the client directly. */
  within<Value>(work: (client: Client) => Promise<Value>): Promise<Value>;
  /** Gives the connection up at once. */
  destroy(reason: Error): void;
  /** Ends it in order, if it still answers. */
  close(): Promise<void>;
}

/**
 * Guards an open connection. `answerMsMax` is how long an answer may take: longer than the server's own time-outs,
 * since it is for a server that answers nothing.
 */
function guardLane(client: Client, answerMsMax: number): Lane {
  let gone: Error | null = null;
  let startedMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<Error>();

  const destroy = (reason: Error) => {
    if (gone) return;
    gone = reason;
    clearTimeout(timer);
    client.connection.stream.destroy();
    tellLost(reason);
  };
  client.on("error", destroy);
  client.on("end", () => destroy(new Error("the connection to Postgres ended")));
  // A commit that waits for its standby is acknowledged with a warning when the wait is cancelled: it is not durable.
  client.on("notice", (notice) => {
    if (notice.severity === "WARNING") destroy(new Error(`Postgres warned: ${notice.message}`));
  });

  // One timer for many statements: it looks again when it finds that the one under way is younger than itself.
  const watch = (delayMs: number) => {
    timer = setTimeout(() => {
      timer = undefined;
      if (startedMs === null) return;
      const leftMs = startedMs + answerMsMax - performance.now();
      if (leftMs <= 0) destroy(new Error(`Postgres did not answer within ${answerMsMax} ms`));
      else watch(leftMs);
    }, delayMs);
    timer.unref();
  };
  const within = async <Value>(work: (client: Client) => Promise<Value>): Promise<Value> => {
    if (gone) throw gone;
    startedMs = performance.now();
    if (timer === undefined) watch(answerMsMax);
    try {
      const value = await work(client);
      if (gone) throw gone;
      return value;
    } finally {
      startedMs = null;
    }
  };

  return {
    client,
    lost,
    gone: () => gone !== null,
    query: (config) => within(() => ask(client, config)),
    within,
    destroy,
    close: async () => {
      if (gone) return;
      const end = new Error("the connection was closed");
      const late = setTimeout(() => destroy(end), answerMsMax);
      await client.end().catch(() => undefined);
      clearTimeout(late);
      destroy(end);
    },
  };
}

/** The server's own limit on a statement or transaction of a lane, and how much longer its answer may take. */
const LANE_MS = 2_000;
const ANSWER_MS = LANE_MS + 500;

export interface LanesOptions {
  /** Of the runtime role; direct, never through a transaction pooler. */
  readonly url: string;
  readonly log: Log;
  /** Asked on every connection that writes: whether this is the Postgres that recorded before. */
  readonly verify?: (client: ClientBase) => Promise<void>;
}

/** Opens lanes and knows those that are open. */
export interface Lanes {
  open(name: string): Promise<Lane>;
  /** Runs one piece of work on a connection of its own. */
  once<Value>(name: string, work: (client: Client) => Promise<Value>): Promise<Value>;
  /** Gives up every lane that is open. */
  destroyAll(reason: Error): void;
}

export function createLanes(options: LanesOptions): Lanes {
  const lanes = new Set<Lane>();
  const timeouts = { statementTimeoutMs: LANE_MS, transactionTimeoutMs: LANE_MS, idleInTransactionTimeoutMs: LANE_MS };

  const open = async (name: string): Promise<Lane> => {
    try {
      // The lane tells its owner how it ended; a connection that we gave up ourselves is nobody's news.
      const lane = guardLane(
        await openDirect({ ...options, ...timeouts, name, log: silentLog, watched: true }),
        ANSWER_MS,
      );
      lanes.add(lane);
      void lane.lost.then(() => lanes.delete(lane));
      return lane;
    } catch (error) {
      throw openFailure(error);
    }
  };
  return {
    open,
    once: async (name, work) => {
      const lane = await open(name);
      try {
        return await lane.within(work);
      } finally {
        void lane.close();
      }
    },
    destroyAll: (reason) => {
      for (const lane of [...lanes]) lane.destroy(reason);
    },
  };
}
