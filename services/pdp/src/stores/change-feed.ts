import type { Client } from "pg";
import type { Log } from "../foundation/log.ts";
import { reconnectDelayMs } from "./database.ts";
import { createNewsReader, type News, newsQuery } from "./news-query.ts";

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

/** Told by changes of who may do what, as they commit: there is something to poll for. */
export const HINTS = "remit_changed";

/** From one poll to the next, however many ask for one: by a hint, and because they wait for it. */
const HINT_GAP_MS = 20;
const WAIT_GAP_MS = 5;
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

/** When the next poll is due. Whoever wants one while one is under way has the next. */
function createPace(turn: () => void, now: () => number) {
  let timer: NodeJS.Timeout | undefined;
  let dueAtMs = 0;
  let beganAtMs = 0;
  let busy = false;
  // How long after the beginning of this poll the next one is wanted.
  let wantedGapMs = Number.POSITIVE_INFINITY;
  const schedule = (ms: number) => {
    clearTimeout(timer);
    dueAtMs = now() + ms;
    timer = setTimeout(turn, Math.ceil(ms));
  };
  return {
    began() {
      busy = true;
      beganAtMs = now();
      wantedGapMs = Number.POSITIVE_INFINITY;
    },
    /** `sooner`: whether anybody's wish counts. */
    ended(nextMs: number, sooner: boolean) {
      busy = false;
      const wishedMs = sooner ? Math.max(0, beganAtMs + wantedGapMs - now()) : Number.POSITIVE_INFINITY;
      schedule(Math.min(nextMs, wishedMs));
    },
    /** Sooner than it is due, and no sooner than the gap after the poll before. */
    want(gapMs: number) {
      const at = Math.max(now(), beganAtMs + gapMs);
      if (busy) wantedGapMs = Math.min(wantedGapMs, gapMs);
      else if (at < dueAtMs) schedule(at - now());
    },
    stop: () => clearTimeout(timer),
  };
}

/**
 * One connection of its own, so that a busy pool never delays the news. What is polled is the authority; a hint only
 * makes a poll come sooner. One that is lost costs an interval, and one that nobody meant, or a thousand, a poll.
 */
export function createFeed({ connect, intervalMs, hear, now, log }: Options): Feed {
  let client: Client | undefined;
  let closed = false;
  let failures = 0;
  let before: string | undefined;
  let under: Promise<void> = Promise.resolve();
  const readNews = createNewsReader();
  const waiting = createWaiting();
  const turn = () => {
    under = round();
  };
  const pace = createPace(turn, now);
  // A Postgres that is away is asked no more often than it would be.
  const want = (gapMs: number) => {
    if (!closed && failures === 0) pace.want(gapMs);
  };

  const listen = async (): Promise<Client> => {
    const made = await connect();
    made.on("notification", () => want(HINT_GAP_MS));
    await made.query(`listen ${HINTS}`).catch((error: unknown) => {
      log.warn({ error }, "no hints of changes are heard; they are found by looking");
    });
    return made;
  };

  const poll = async (): Promise<void> => {
    client ??= await listen();
    const sentAtMs = now();
    const tell = waiting.take();
    try {
      const { snapshot, news } = await readNews((await client.query(newsQuery(before))).rows);
      hear({ ...news, changed: before === undefined ? undefined : news.changed, sentAtMs });
      before = snapshot;
    } finally {
      tell();
    }
  };

  const round = async (): Promise<void> => {
    pace.began();
    try {
      await poll();
      if (failures > 0) log.info({ failures }, "the store can be followed again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === 1) log.warn({ error }, "the store cannot be followed; policies grow old until it can");
      const broken = client;
      client = undefined;
      // Another Postgres may answer next, or this one after a crash, and give numbers again that were given before: what
      // was seen until now says nothing of what will have changed.
      before = undefined;
      await broken?.end().catch(() => undefined);
    }
    if (!closed) pace.ended(failures === 0 ? intervalMs : reconnectDelayMs(failures, Math.random()), failures === 0);
  };

  return {
    async start() {
      turn();
      await under;
    },
    catchUp() {
      // One that cannot be followed just now has nothing to wait for.
      if (failures > 0) return Promise.resolve();
      const caughtUp = waiting.join();
      want(WAIT_GAP_MS);
      return caughtUp;
    },
    async close() {
      closed = true;
      pace.stop();
      await under;
      waiting.take()();
      await client?.end().catch(() => undefined);
    },
  };
}
