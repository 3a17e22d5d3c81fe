import type { Entered } from "./book.ts";
import { keyOf } from "./call-key.ts";
import { denyLocally, type Permitted } from "./decision.ts";
import { DeniedError } from "./errors.ts";
import type { Link } from "./link.ts";
import { type Report, writeReport } from "./report.ts";
import type { ReportQueue } from "./report-queue.ts";
import { runPermitted, type Work } from "./run.ts";
import type { HeldSession } from "./sessions.ts";
import { tell } from "./tell.ts";
import type { Timers } from "./timers.ts";

/** Runs what was permitted, here, and once. */
export interface Execution {
  /** `askedMs` is when the call was asked about, on the monotonic clock. */
  run<Input, Output>(
    entered: Entered,
    permitted: Permitted,
    askedMs: number,
    work: Work<Input, Output>,
  ): Promise<Output>;
  /** Says that a call was not run: by its decision, or by its call id when nobody here has seen that. */
  release(entered: Entered, decisionId?: string): void;
  /** Aborts a running call; answers whether it runs here. */
  cancel(sessionId: string, callId: string, code: string): boolean;
  /** Aborts all running calls of a session, whichever stream or connection they were decided on. */
  cancelAll(sessionId: string, code: string): void;
}

export interface ExecutionOptions {
  readonly timers: Timers;
  readonly link: Link;
  readonly reports: ReportQueue<HeldSession>;
}

/** Whether a call may not start any more: by the time that passed since it was asked, not by our clock alone. */
function isLate(permitted: Permitted, askedMs: number, timers: Timers): boolean {
  const { executeBefore, evaluatedAt, replayed } = permitted;
  if (!executeBefore) return false;
  if (evaluatedAt && timers.monotonicMs() - askedMs >= executeBefore.getTime() - evaluatedAt.getTime()) return true;
  return (replayed || !evaluatedAt) && timers.wallMs() >= executeBefore.getTime();
}

/** Says now and then that a call still runs, so that what is held for it is not taken for spent. */
function heartbeat({ timers, link }: ExecutionOptions, held: HeldSession, permitted: Permitted): () => void {
  const { reportBy, evaluatedAt, decisionId } = permitted;
  if (!reportBy || !evaluatedAt) return () => {};
  const everyMs = Math.max(1_000, (reportBy.getTime() - evaluatedAt.getTime()) / 2);
  const startedMs = timers.monotonicMs();
  let cancel = (): void => {};
  const beat = (): void => {
    cancel = timers.after(everyMs, beat, "idle");
    const durationMs = timers.monotonicMs() - startedMs;
    const request = writeReport({ decisionId, outcome: "running", durationMs });
    // A lost beat is no harm: the final report comes whatever happens.
    const told = held.fresh().then(() => tell(link, timers, held, request));
    told.catch(() => {});
  };
  cancel = timers.after(everyMs, beat, "idle");
  return () => cancel();
}

export function createExecution(options: ExecutionOptions): Execution {
  const { timers, link, reports } = options;
  // Decisions that were run here and whose reports Remit has not taken yet.
  const started = new Set<string>();
  const cancels = new Map<string, (code: string) => void>();

  const release = ({ held, asked, slot }: Entered, decisionId?: string): void => {
    const { callId, sessionId } = asked;
    const request = writeReport({ ...(decisionId ? { decisionId } : { callId }), outcome: "not_executed" });
    const withdrawable = !decisionId;
    // A refused report is logged and counted by the queue.
    reports.add({ holder: held, sessionId, callId, request, withdrawable }, slot).catch(() => {});
  };

  const refuseToRun = (entered: Entered, permitted: Permitted, askedMs: number): void => {
    const { tool, decisionId } = permitted;
    if (started.has(decisionId)) {
      const message = `${tool} was not run again: this call was already made.`;
      throw new DeniedError(denyLocally(permitted, "already_executed", message, { recorded: permitted }));
    }
    if (isLate(permitted, askedMs, timers)) {
      release(entered, decisionId);
      const message = `${tool} was not run: the permission to run it came too late. Ask anew.`;
      throw new DeniedError(denyLocally(permitted, "decision_expired", message, { recorded: permitted }));
    }
  };

  return {
    release,
    run: async (entered, permitted, askedMs, work) => {
      refuseToRun(entered, permitted, askedMs);
      const { held, asked, slot, signal } = entered;
      const { sessionId, callId } = asked;
      const key = keyOf(sessionId, callId);
      const unwatch = link.watch(held);
      const quiet = heartbeat(options, held, permitted);
      started.add(permitted.decisionId);
      const report = (told: Report): void => {
        const taken = (): unknown => started.delete(permitted.decisionId);
        reports.add({ holder: held, sessionId, callId, request: writeReport(told) }, slot).then(taken, taken);
      };
      const running = (cancel: (code: string) => void): (() => void) => {
        cancels.set(key, cancel);
        return () => cancels.delete(key);
      };
      try {
        return await runPermitted(permitted, work, { timers, signal, running, report });
      } finally {
        quiet();
        unwatch();
      }
    },
    cancel: (sessionId, callId, code) => {
      const cancel = cancels.get(keyOf(sessionId, callId));
      cancel?.(code);
      return cancel !== undefined;
    },
    cancelAll: (sessionId, code) => {
      for (const [key, cancel] of cancels) if (key.startsWith(keyOf(sessionId, ""))) cancel(code);
    },
  };
}
