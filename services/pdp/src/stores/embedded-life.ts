import { setTimeout as delay } from "node:timers/promises";
import { quit, type Setup, type Started, start, startOnDirectory, sweep, watchFor } from "./embedded-start.ts";
import type { Keeper } from "./keeper.ts";

/** A Postgres from its first start to its last end. */
export interface Life {
  /** Of the one that runs, or the last that ran. */
  pid(): number;
  /** How often it was ended because it let nobody in, and started anew. */
  startedAnew(): number;
  /** Resolves when it ended and is not started again. */
  readonly ended: Promise<{ readonly expected: boolean; readonly lastWords: string }>;
  stop(): Promise<void>;
}

const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 60_000;

/**
 * Lives on with a Postgres that was started: one that lets nobody in for too long is ended and started anew at the same
 * place, with the same addresses, as often as it takes. One that ends by itself stays ended. One that is thrown away with
 * its place is left alone.
 */
export function liveOn(setup: Setup, first: Started): Life {
  const { directory, place, log } = setup;
  const over = new AbortController();
  let running = first;
  let keeper: Keeper = first.keeper;
  let anew = 0;

  const startAnew = async (): Promise<Started | undefined> => {
    if (!directory) return undefined;
    const again = { ...setup, directory: { ...directory, initialised: true } };
    for (let pauseMs = AGAIN_MS; !over.signal.aborted; pauseMs = Math.min(pauseMs * 2, AGAIN_MS_MAX)) {
      try {
        const begin = async () => {
          // What passes by itself is waited for up to half a minute: not by one that is to end.
          over.signal.throwIfAborted();
          return start(again, (its) => {
            keeper = its;
            if (over.signal.aborted) its.release();
          });
        };
        const started = await startOnDirectory(directory, log, begin);
        started.keeper.letGo();
        log("Postgres was started anew");
        return started;
      } catch (failure) {
        const why = failure instanceof Error ? failure.message : String(failure);
        if (!over.signal.aborted)
          log(`Postgres could not be started anew, and is tried again in ${pauseMs} ms: ${why}`);
        await delay(pauseMs, undefined, { signal: over.signal, ref: false }).catch(() => {});
      }
    }
    return undefined;
  };

  const live = async () => {
    for (;;) {
      let isStuck = false;
      const stopWatching = watchFor(setup, () => {
        isStuck = true;
        anew++;
        quit(running.pid);
      });
      const end = await running.keeper.ended;
      stopWatching();
      await sweep(end, running.pid, place);
      const next = isStuck && !over.signal.aborted ? await startAnew() : undefined;
      if (!next) return { expected: over.signal.aborted, lastWords: end.lastWords };
      running = next;
    }
  };
  const ended = live();
  return {
    pid: () => running.pid,
    startedAnew: () => anew,
    ended,
    stop: async () => {
      over.abort();
      keeper.release();
      await ended;
    },
  };
}
