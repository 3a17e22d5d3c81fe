import type { Log } from "../foundation/log.ts";
import type { Identities, SigningKeys } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import { createFeed, type Feed } from "../stores/change-feed.ts";
import type { News } from "../stores/news-query.ts";
import { type EngineHeard, hearEngine } from "./engine.ts";
import type { openSealing } from "./sealing.ts";
import type { Store } from "./store.ts";

/** How often what is in force is compared, whole, with what is stored. */
const COMPARE_EVERY_MS = 30_000;

/** Tells every room what a poll saw. */
function hearing(rooms: Rooms, engine: EngineHeard) {
  const { identities, snapshots, signingKeys, sealing } = rooms;
  return (news: News): void => {
    const { revisions, cell, sentAtMs } = news;
    identities.heard(news);
    sealing.heard(cell);
    engine.heard(cell);
    // Keys that cannot be read now are read with the next poll: the policies do not wait for them.
    const keys = signingKeys.heard(cell.keysRevision).catch(() => undefined);
    // What takes longer runs beside the next polls.
    void Promise.all([snapshots.polled(revisions, sentAtMs), keys]).then(sealing.dataKeys.heard);
  };
}

/** Compares now and then, one comparison at a time. Answers how to stop. */
function keepComparing({ compare }: Pick<Snapshots, "compare">): () => void {
  let under = false;
  const timer = setInterval(async () => {
    if (under) return;
    under = true;
    await compare();
    under = false;
  }, COMPARE_EVERY_MS).unref();
  return () => clearInterval(timer);
}

interface Rooms {
  readonly identities: Identities;
  readonly snapshots: Snapshots;
  readonly signingKeys: SigningKeys;
  readonly sealing: ReturnType<typeof openSealing>;
}

interface Options extends Rooms {
  readonly store: Pick<Store, "direct">;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly log: Log;
}

/** The feed of a process, and which engine decides where this build has another. */
interface Followed extends Feed {
  otherEngine(): string | undefined;
}

/** Keeps what is in force here as new as the store. Resolves when the first poll was heard. */
export async function followStore({ store, intervalMs, now, log, ...rooms }: Options): Promise<Followed> {
  const engine = hearEngine();
  const connect = () => store.direct("remit-feed");
  const feed = createFeed({ connect, intervalMs, now, log, hear: hearing(rooms, engine) });
  await feed.start();
  const stopComparing = keepComparing(rooms.snapshots);
  return {
    ...feed,
    otherEngine: engine.other,
    close: async () => {
      stopComparing();
      await feed.close();
    },
  };
}
