import { ask } from "./ask.ts";
import type { CallRequest } from "./asked.ts";
import { type Book, type CallOptions, denyEnded, type Entered } from "./book.ts";
import { type Decision, type Denied, denyLocally, mayRun } from "./decision.ts";
import { DeniedError, PausedError, RemitError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { Link } from "./link.ts";
import type { Settings } from "./options.ts";
import type { ReportQueue } from "./report-queue.ts";
import type { Work } from "./run.ts";
import type { HeldSession } from "./sessions.ts";

export interface Calls {
  /** Asks. What follows is up to the caller; only `allow` and `transform` may run. */
  decide(held: HeldSession, call: CallRequest, options: CallOptions): Promise<Decision>;
  /** Asks, and runs the work if it is allowed. */
  guard<Input, Output>(
    held: HeldSession,
    call: CallRequest,
    options: CallOptions,
    work: Work<Input, Output>,
  ): Promise<Output>;
}

export interface CallsOptions {
  readonly settings: Settings;
  readonly link: Link;
  readonly reports: ReportQueue<HeldSession>;
  readonly book: Book;
  readonly execution: Execution;
}

/** Waits until Remit has taken what is still to be said of an earlier try of this call; denies if that takes too long. */
async function settleEarlierTry(
  { reports, settings }: CallsOptions,
  { asked, signal }: Entered,
): Promise<Denied | undefined> {
  const said = reports.ofCall(asked.sessionId, asked.callId);
  if (!said) return undefined;
  const taken = await new Promise<boolean>((resolve) => {
    const cancel = settings.timers.after(settings.deadlineMs, () => resolve(false));
    const aborted = (): void => resolve(false);
    signal?.addEventListener("abort", aborted, { once: true });
    said.then(() => {
      cancel();
      signal?.removeEventListener("abort", aborted);
      resolve(true);
    });
  });
  if (taken) return undefined;
  const message = `${asked.tool} was not run: what became of its last try could not be told to ${settings.where} yet.`;
  return denyLocally(asked, "unreachable", message, { retryable: true });
}

export function createCalls(options: CallsOptions): Calls {
  const { settings, link, book, execution } = options;

  const answer = async (entered: Entered): Promise<Decision> => {
    const { held, asked, signal } = entered;
    const unsettled = await settleEarlierTry(options, entered);
    signal?.throwIfAborted();
    if (unsettled) return unsettled;
    try {
      const decision = await ask(link, settings, { held, asked, signal, release: () => execution.release(entered) });
      if (signal?.aborted && mayRun(decision)) execution.release(entered);
      signal?.throwIfAborted();
      return decision;
    } catch (error) {
      const ended = held.endedBecause();
      if (error instanceof RemitError && ended !== undefined) return denyEnded(asked, ended, error);
      throw error;
    }
  };

  return {
    decide: (held, call, callOptions) =>
      book.enter(held, call, callOptions, async (entered) => ("effect" in entered ? entered : answer(entered))),
    guard: (held, call, callOptions, work) =>
      book.enter(held, call, callOptions, async (entered) => {
        if ("effect" in entered) throw new DeniedError(entered);
        const askedMs = settings.timers.monotonicMs();
        const decision = await answer(entered);
        if (decision.effect === "deny") throw new DeniedError(decision);
        if (!mayRun(decision)) throw new PausedError(decision.paused);
        return execution.run(entered, decision, askedMs, work);
      }),
  };
}
