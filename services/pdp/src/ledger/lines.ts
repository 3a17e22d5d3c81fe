import type { Log } from "../foundation/log.ts";
import { createDesk, type Desk } from "./desk.ts";
import type { LedgerStore, LedgerWriter } from "./ledger-store.ts";
import { type Line, startLine } from "./line.ts";
import type { Queue, Waiting } from "./queue.ts";
import { type CommitSeen, createRefusing, recordedUnsent, type Shared, type Stopped } from "./shared.ts";
import type { Timing } from "./timing.ts";

/** The lines of one ledger, its queue in front of them, and the desk where its callers wait. */
export interface Lines {
  readonly desk: Desk;
  stopped(): Stopped | null;
  /** Starts one line a writer. */
  start(writers: readonly LedgerWriter[]): void;
  /** To be called when records entered the queue. */
  wake(): void;
  /** Ends every line and refuses what waits. */
  stop(why: Stopped, cause?: unknown): void;
  ended(): Promise<unknown>;
  alive(): Line[];
  inFlight(): Waiting[];
  /** On the timing's clock; null before the first commit. */
  lastCommitMs(): number | null;
}

export interface LinesOptions {
  readonly store: LedgerStore;
  readonly queue: Queue;
  readonly timing: Timing;
  readonly log: Log;
  readonly observe?: ((seen: CommitSeen) => void) | undefined;
  readonly onWait?: (() => void) | undefined;
  readonly onStop?: ((why: Exclude<Stopped, "closed">) => void) | undefined;
}

/**
 * How long what waits leaves a line alone that is committing, before another one takes it: twice as long as commits lately
 * took, within these bounds. On a core that has much else to do all of them take long, and another line would only make
 * statements of fewer records, which wait for the same accounts.
 */
const STAND_BY_MS_MIN = 5;
const STAND_BY_MS_MAX = 50;
/** Of how many commits what they lately took is made, about. */
const LATELY = 8;

/** How long commits lately took. */
function createPace() {
  let usualMs = 0;
  return {
    took(ms: number) {
      usualMs += (ms - usualMs) / LATELY;
    },
    standByMs: () => Math.min(Math.max(2 * usualMs, STAND_BY_MS_MIN), STAND_BY_MS_MAX),
  };
}

type Pace = ReturnType<typeof createPace>;

/**
 * Hands what waits to the lines. One statement of many records is cheaper than many of one, for Postgres and for us: so
 * what comes while a line commits waits for that line, and the others stand by for when it takes longer than it should.
 */
function createDispatcher(lines: readonly Line[], queue: Queue, timing: Timing, pace: Pace) {
  let dispatching = false;
  let standBy: (() => void) | undefined;

  const giveToIdle = () => {
    for (const line of lines) {
      if (line.phase() !== "idle") continue;
      const batch = queue.take();
      if (!batch) return;
      line.give(batch);
    }
  };
  /** Gives what waits to a line, unless one commits that may be done soon: then it looks again when that takes too long. */
  const look = () => {
    standBy = undefined;
    if (queue.records === 0) return;
    const committing = lines.filter((line) => line.phase() === "committing");
    const begunMs = Math.max(...committing.map((line) => line.begunMs()));
    const leftMs = begunMs + pace.standByMs() - timing.now();
    if (committing.length === 0 || leftMs <= 0) giveToIdle();
    else standBy = timing.after(leftMs, look);
  };
  const dispatch = () => {
    dispatching = false;
    if (!standBy || !lines.some((line) => line.phase() === "committing")) look();
  };
  return {
    /** Records that are handed over in one turn share a statement; one that comes alone leaves at once. */
    wake() {
      if (dispatching || queue.records === 0) return;
      dispatching = true;
      queueMicrotask(dispatch);
    },
    rest() {
      standBy?.();
      standBy = undefined;
    },
  };
}

export function createLines({ store, queue, timing, log, observe, onWait, onStop }: LinesOptions): Lines {
  const lines: Line[] = [];
  let stopped: Stopped | null = null;
  let lastCommitMs: number | null = null;

  const inFlight = () => lines.flatMap((line) => line.inFlight());
  // Until all that was found overdue is refused no more is looked for: so nobody is found twice.
  let isRefusing = false;
  const refuseOverdue = async (nowMs: number) => {
    isRefusing = true;
    await refuseAll(queue.expire(nowMs), "no", new Error("no writer took it in time"));
    const overdue = inFlight().filter(({ answered, giveUpAtMs }) => !answered && giveUpAtMs <= nowMs);
    await refuseAll(overdue, "unknown", new Error("no acknowledgement in time"));
    isRefusing = false;
  };
  const desk = createDesk(timing, (nowMs) => {
    if (!isRefusing) void refuseOverdue(nowMs);
  });

  const { refuse, refuseAll } = createRefusing(timing, desk.leave);
  const pace = createPace();
  const { wake, rest } = createDispatcher(lines, queue, timing, pace);
  const stop = (why: Stopped, cause?: unknown) => {
    if (stopped && why !== "closed") return;
    stopped = why;
    rest();
    if (why !== "closed") log.error({ error: cause, why }, "the ledger stops: nothing more is recorded");
    void refuseAll(queue.drain(), recordedUnsent(why), cause);
    for (const line of lines) line.interrupt();
    if (why !== "closed") onStop?.(why);
  };

  const shared: Shared = {
    store,
    queue,
    timing,
    log,
    stop,
    stopped: () => stopped,
    putBack: (waiting) => {
      // Whoever was told that the ledger is unavailable asks anew.
      const still = waiting.filter((one) => !one.answered);
      if (stopped) void refuseAll(still, recordedUnsent(stopped));
      else queue.putBack(still);
      wake();
    },
    observe: (seen) => {
      if (seen.result === "committed") {
        lastCommitMs = timing.now();
        pace.took(seen.ms);
      }
      observe?.(seen);
    },
    sent: () => {
      // Where more than one caller asks, there is always another to be seen to.
      if (onWait && queue.records === 0 && inFlight().length === 1) onWait();
    },
    answer: (waiting, outcome) => {
      if (desk.leave(waiting)) waiting.resolve(outcome);
    },
    ...{ refuse, refuseAll },
  };

  return {
    desk,
    wake,
    stop,
    inFlight,
    stopped: () => stopped,
    start: (writers) => {
      for (const writer of writers) lines.push(startLine(shared, writer));
      wake();
    },
    ended: () => Promise.all(lines.map((line) => line.ended)),
    alive: () => lines.filter((line) => line.phase() === "idle" || line.phase() === "committing"),
    lastCommitMs: () => lastCommitMs,
  };
}
