import { ask } from "./ask.ts";
import type { CallRequest } from "./asked.ts";
import { type Book, type CallOptions, denyEnded, type Entered } from "./book.ts";
import { type Decision, type Denied, denyLocally, mayRun, type Permitted } from "./decision.ts";
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

/** What an earlier try of this call left behind. */
type Earlier = { readonly denied: Denied } | { readonly owed: boolean };

/**
 * Settles what is still to be said of an earlier try of this call: takes it back if no copy of it can have left, else
 * waits until Remit has it, and denies if that takes too long. A report by call id is about the newest attempt, so it
 * must never come after one.
 */
async function settleEarlierTry({ reports, settings }: CallsOptions, { asked, signal }: Entered): Promise<Earlier> {
  const { sessionId, callId } = asked;
  if (reports.withdraw(sessionId, callId)) return { owed: true };
  const said = reports.ofCall(sessionId, callId);
  if (!said) return { owed: false };
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
  if (taken) return { owed: false };
  const message = `${asked.tool} was not run: what became of its last try could not be told to ${settings.where} yet.`;
  return { denied: denyLocally(asked, "unreachable", message, { retryable: true }) };
}

/** The denial of a call that an echo of an earlier report could settle while it runs. */
function denyForEcho(decision: Permitted): Denied {
  const message =
    `${decision.tool} was not run: its last try was reported as not executed, and a copy of that report may still be ` +
    "on its way. Ask anew under another call id.";
  return denyLocally(decision, "decision_expired", message, { recorded: decision });
}

export function createCalls(options: CallsOptions): Calls {
  const { settings, link, reports, book, execution } = options;

  const answer = async (entered: Entered): Promise<Decision> => {
    const { held, asked, signal } = entered;
    const earlier = await settleEarlierTry(options, entered);
    const owed = "owed" in earlier && earlier.owed;
    const release = (decisionId?: string): void => execution.release(entered, decisionId);
    if (signal?.aborted && owed) release();
    signal?.throwIfAborted();
    if ("denied" in earlier) return earlier.denied;
    try {
      const decision = await ask(link, settings, { held, asked, signal, owed, release });
      const echoed = mayRun(decision) && reports.echoes(asked.sessionId, asked.callId);
      if (mayRun(decision) && (signal?.aborted || echoed)) release(decision.decisionId);
      signal?.throwIfAborted();
      return mayRun(decision) && echoed ? denyForEcho(decision) : decision;
    } catch (error) {
      if (!(error instanceof RemitError)) throw error;
      // A token that could not be renewed: the session is over, or its agent or tenant is suspended.
      const barred = error.status === "FAILED_PRECONDITION" ? error.reason : undefined;
      const code = held.endedBecause() ?? barred;
      if (code === undefined) throw error;
      return denyEnded(asked, code, error);
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
