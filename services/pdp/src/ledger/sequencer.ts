import type { Log } from "../foundation/log.ts";
import type { Gap } from "./sequence.ts";
import type { SequencerStore } from "./sequencer-store.ts";
import { backoffMs, type Timing } from "./timing.ts";

const TURN_MS = 250;
/** Few enough that putting them in order, on the thread that decides, keeps nobody waiting. */
const RECORDS_MAX = 500;
/** Where a turn fails, maybe because it takes too long, the next one is half as large. */
const RECORDS_MIN = 64;
/** Replicas take turns: one that comes a little early does what another would do a little later. */
const PAUSE_MS = 200;

export interface SequencerOptions {
  readonly store: SequencerStore;
  readonly log: Log;
  readonly timing: Timing;
}

/** Gives the records of the cell their places, as every replica does: whoever comes first. */
export interface Sequencer {
  start(): void;
  /** Where the line stands still, as this replica saw it last. */
  stopped(): Gap | undefined;
  close(): Promise<void>;
}

export function createSequencer({ store, log, timing }: SequencerOptions): Sequencer {
  let failures = 0;
  let gap: Gap | undefined;
  let over = false;
  let cancel = () => {};
  let under: Promise<void> = Promise.resolve();

  const stand = (found: Gap | undefined): void => {
    const same = gap?.epoch === found?.epoch && gap?.missing === found?.missing;
    gap = found;
    if (same) return;
    if (found) {
      const { epoch, missing } = found;
      const what =
        "a record is missing in the ledger: no record gets a place any more; docs/operating.md tells what to do";
      log.error({ epoch: String(epoch), missing: String(missing) }, what);
    } else log.warn({}, "the records of the ledger get their places again");
  };
  /** How long until the next turn. */
  const turn = async (pauseMs: number): Promise<{ readonly waitMs: number; readonly pauseMs: number }> => {
    const recordsMax = Math.max(RECORDS_MIN, RECORDS_MAX >> Math.min(failures, 16));
    const came = await store.turn({ recordsMax, pauseMs });
    failures = 0;
    if (came.state !== "elsewhere") stand(came.state === "stopped" ? came.gap : undefined);
    // What is behind goes on at once, and is kept waiting by nobody's pause, its own included.
    const behind = came.state === "placed" && came.more;
    return behind ? { waitMs: 0, pauseMs: 0 } : { waitMs: TURN_MS, pauseMs: PAUSE_MS };
  };
  const round = async (pauseMs: number): Promise<void> => {
    let next = { waitMs: 0, pauseMs: PAUSE_MS };
    try {
      next = await turn(pauseMs);
    } catch (error) {
      failures++;
      next = { waitMs: TURN_MS + backoffMs(failures, timing.random), pauseMs: PAUSE_MS };
      if (failures === 1) log.warn({ error }, "records could not be given their places; it is tried again");
    }
    if (over) return;
    cancel = timing.after(next.waitMs, () => {
      under = round(next.pauseMs);
    });
  };

  return {
    start: () => {
      under = round(PAUSE_MS);
    },
    stopped: () => gap,
    close: async () => {
      over = true;
      cancel();
      await under;
      cancel();
      await store.close();
    },
  };
}
