import type { Client } from "pg";
import type { Log } from "../foundation/log.ts";
import { reconnectDelayMs } from "./database.ts";
import { type News, newsQuery, readNews } from "./news-query.ts";

export interface Feed {
  /** Polls until closed. The first poll has been heard when this resolves. */
  start(): Promise<void>;
  /**
   * Resolves once a poll was heard that was sent after this call, or after a moment when none comes. All who ask at one
   * time share it.
   */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

interface Options {
  /** A new direct connection. */
  readonly connect: () => Promise<Client>;
  readonly intervalMs: number;
  /** Takes the news at once: whatever takes longer it lets run beside the polls. */
  readonly hear: (news: News) => void;
  readonly now: () => number;
  readonly log: Log;
}

/** Between two polls, however many ask for one. */
const GAP_MS = 5;
/** For whoever asks for a poll: where polls fail, or take long, there are other ways to know. */
const CATCH_UP_MS = 50;

/** Whoever waits for a poll that is still to be sent. */
function createWaiting() {
  let resolvers: (() => void)[] = [];
  return {
    join: () =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CATCH_UP_MS);
        resolvers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    /** Those who have joined until now; answers how to tell them. */
    take(): () => void {
      const taken = resolvers;
      resolvers = [];
      return () => {
        for (const resolve of taken) resolve();
      };
    },
  };
}

/** One connection of its own, so that a busy pool never delays the news. */
export function createFeed({ connect, intervalMs, hear, now, log }: Options): Feed {
  let client: Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let dueAtMs = 0;
  let busy = false;
  let wanted = false;
  let failures = 0;
  let before: string | undefined;
  let under: Promise<void> = Promise.resolve();
  const waiting = createWaiting();

  const poll = async (): Promise<void> => {
    client ??= await connect();
    const sentAtMs = now();
    const tell = waiting.take();
    try {
      const { snapshot, news } = readNews((await client.query(newsQuery(before))).rows);
      hear({ ...news, changed: before === undefined ? undefined : news.changed, sentAtMs });
      before = snapshot;
    } finally {
      tell();
    }
  };

  const round = async (): Promise<void> => {
    busy = true;
    wanted = false;
    try {
      await poll();
      if (failures > 0) log.info({ failures }, "the store can be followed again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === 1) log.warn({ error }, "the store cannot be followed; policies grow old until it can");
      const broken = client;
      client = undefined;
      await broken?.end().catch(() => undefined);
    }
    busy = false;
    if (closed) return;
    if (failures > 0) schedule(reconnectDelayMs(failures, Math.random()));
    else schedule(wanted ? GAP_MS : intervalMs);
  };

  const turn = () => {
    under = round();
  };
  const schedule = (ms: number) => {
    clearTimeout(timer);
    dueAtMs = now() + ms;
    timer = setTimeout(turn, ms);
  };
  /** Sooner than the interval says, and no sooner than the gap. A Postgres that is away is asked no more often. */
  const wake = () => {
    if (busy) wanted = true;
    else if (!closed && failures === 0 && dueAtMs - now() > GAP_MS) schedule(GAP_MS);
  };

  return {
    async start() {
      turn();
      await under;
    },
    catchUp() {
      const caughtUp = waiting.join();
      wake();
      return caughtUp;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await under;
      clearTimeout(timer);
      waiting.take()();
      await client?.end().catch(() => undefined);
    },
  };
}
