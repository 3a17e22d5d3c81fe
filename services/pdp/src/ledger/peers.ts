import type { Log } from "../foundation/log.ts";
import type { Beat, PeerStore } from "./peer-store.ts";
import { BEAT_MS, look, nothingSeen, suspects } from "./suspicion.ts";
import { backoffMs, type Timing } from "./timing.ts";

export interface PeersOptions {
  readonly store: PeerStore;
  readonly log: Log;
  readonly timing: Timing;
  /** Told of every good look. */
  readonly heard: (beat: Beat) => void;
  /** This replica was shut out by another. Called once. */
  readonly onShutOut: () => void;
  /** Another one was shut out by this replica. */
  readonly onFenced: () => void;
}

/** How this replica lives among the others: it is seen to live, and shuts out those that are not. */
export interface Peers {
  start(): void;
  close(): Promise<void>;
}

export function createPeers({ store, log, timing, heard, onShutOut, onFenced }: PeersOptions): Peers {
  let watch = nothingSeen;
  let failures = 0;
  let over = false;
  let cancel = () => {};
  let under: Promise<void> = Promise.resolve();
  const fencing = new Map<string, Promise<void>>();

  // Beside the looks: a fence may wait for the statement of the one that is shut out, and we must be seen meanwhile.
  const shutOut = async (replica: string): Promise<void> => {
    log.warn({ replica }, "a replica does not move its counter any more: it is shut out");
    try {
      if (!(await store.fenceReplica(replica))) return;
      onFenced();
      log.warn({ replica }, "the replica is shut out: nothing of it can be recorded any more");
    } catch (error) {
      // It is watched anew, so that what fails at once is not tried ten times a second.
      watch = new Map([...watch].filter(([one]) => one !== replica));
      log.warn({ replica, error }, "a replica could not be shut out yet");
    }
  };
  const shutOutSuspects = () => {
    for (const replica of suspects(watch)) {
      if (fencing.has(replica)) continue;
      fencing.set(
        replica,
        shutOut(replica).finally(() => fencing.delete(replica)),
      );
    }
  };

  const round = async (): Promise<void> => {
    try {
      const beat = await store.beat();
      failures = 0;
      if (over) return;
      heard(beat);
      if (!beat.alive) {
        over = true;
        return onShutOut();
      }
      watch = look(watch, beat.counters);
      shutOutSuspects();
    } catch (error) {
      failures++;
      watch = nothingSeen;
      if (failures === 1) log.warn({ error }, "this replica cannot be seen by the others");
    }
    if (!over) cancel = timing.after(failures === 0 ? BEAT_MS : backoffMs(failures, timing.random), turn);
  };
  const turn = () => {
    under = round();
  };

  return {
    start: turn,
    close: async () => {
      over = true;
      cancel();
      await under;
      cancel();
      await Promise.all(fencing.values());
      await store.close();
    },
  };
}
