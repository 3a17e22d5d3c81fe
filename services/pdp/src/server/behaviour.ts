import type { Pool } from "pg";
import { type Behaviour, createBehaviour } from "../behaviour/index.ts";
import type { Log } from "../foundation/log.ts";
import { createBehaviourStore } from "../stores/behaviour.ts";

/** What one replica recorded the others count within this time and the time that a poll takes. */
const FOLLOW_EVERY_MS = 250;

/** Runs that are remembered, and events of all of them: some 100 bytes each. */
const RUNS_MAX = 50_000;
const EVENTS_MAX = 500_000;

/** Keeps what is counted here as new as what the others record. Resolves when it stands at what was recorded before. */
async function keepFollowing({ follow }: Pick<Behaviour, "follow">, log: Log): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let under: Promise<void> = follow();
  await under;

  const turn = async () => {
    try {
      await follow();
      if (failing) log.info({}, "what other replicas record can be counted again");
      failing = false;
    } catch (error) {
      if (!failing)
        log.warn({ error }, "what other replicas record cannot be counted; breakers go by what is known here");
      failing = true;
    }
    schedule();
  };
  const schedule = () => {
    if (closed) return;
    timer = setTimeout(() => {
      under = turn();
    }, FOLLOW_EVERY_MS);
  };
  schedule();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await under;
    },
  };
}

/** What breakers remember in this process, which follows what the others record until it is closed. */
export async function openBehaviour(pool: Pool, replica: string, log: Log) {
  const store = createBehaviourStore(pool, replica);
  const behaviour = createBehaviour({ store, runsMax: RUNS_MAX, eventsMax: EVENTS_MAX });
  return { behaviour, ...(await keepFollowing(behaviour, log)) };
}
