import type { Client } from "pg";
import type { Beat, PeerStore } from "../ledger/index.ts";
import { createLanes, type Lane, type LanesOptions } from "./lane.ts";
import { endReplica } from "./writer-row.ts";

interface Options extends LanesOptions {
  readonly replica: string;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The counters of replicas that were shut out stand here until somebody has removed them. */
const BEAT = {
  name: "beat",
  text: `with mine as (update heartbeat set beats = beats + 1 where replica = $1)
    select coalesce((select alive from replica where id = $1), false) as alive,
      (extract(epoch from clock_timestamp()) * 1000)::float8 as "storeMs",
      array(select replica::text from heartbeat where replica <> $1 order by replica) as replicas,
      array(select beats::text from heartbeat where replica <> $1 order by replica) as beats`,
};

interface Row {
  readonly alive: boolean;
  readonly storeMs: number;
  readonly replicas: readonly string[];
  readonly beats: readonly string[];
}

async function openHeart(lane: Lane): Promise<Lane> {
  // A beat that is lost in a crash is a beat that was not seen; no disk has to be waited for ten times a second.
  try {
    await lane.within((client) => client.query("set synchronous_commit = off"));
    return lane;
  } catch (error) {
    // Nobody would hold it any more, and it is tried again many times.
    lane.destroy(error as Error);
    throw error;
  }
}

/** What replicas know of each other, over Postgres. */
export function createPeerStore(options: Options): PeerStore {
  const { replica, now } = options;
  const lanes = createLanes(options);
  let heart: Lane | undefined;

  const ask = async (client: Client): Promise<Beat> => {
    const sentAtMs = now();
    const { rows } = await client.query<Row>({ ...BEAT, values: [replica] });
    const heardAtMs = now();
    const [row] = rows;
    if (!row) throw new Error("the store answered no row to a beat");
    const counters = new Map(row.replicas.map((one, at) => [one, BigInt(row.beats[at] ?? 0)]));
    return { alive: row.alive, counters, storeMs: row.storeMs, sentAtMs, heardAtMs };
  };

  return {
    beat: async () => {
      if (!heart || heart.gone()) heart = await openHeart(await lanes.open("remit-heart"));
      try {
        return await heart.within(ask);
      } catch (error) {
        heart.destroy(error as Error);
        throw error;
      }
    },
    fenceReplica: (other) => lanes.once("remit-fence", (client) => endReplica(client, other)),
    close: async () => heart?.close(),
  };
}
