import { type Asked, type CallRequest, fixCall } from "./asked.ts";
import { keyOf } from "./call-key.ts";
import { type Denied, denyLocally } from "./decision.ts";
import type { Settings } from "./options.ts";
import type { ReportQueue } from "./report-queue.ts";
import type { Slot } from "./room.ts";
import type { HeldSession } from "./sessions.ts";

/** How one call is made, besides what is asked. */
export interface CallOptions {
  /** Aborting it before the tool starts keeps it from starting; afterwards it aborts the tool's own signal. */
  readonly signal?: AbortSignal | undefined;
  /** Constraints that this call's tool honours itself, besides those of the client. */
  readonly supportedConstraints?: readonly string[] | undefined;
}

/** A call on its way, and what it holds. */
export interface Entered {
  readonly held: HeldSession;
  readonly asked: Asked;
  /** Room for its report. */
  readonly slot: Slot;
  readonly signal: AbortSignal | undefined;
}

/** The calls of this process that are under way. */
export interface Book {
  /** Lets a call in for as long as `then` takes, or says why not. One call of a session and call id at a time. */
  enter<T>(
    held: HeldSession,
    call: CallRequest,
    options: CallOptions,
    then: (entered: Entered | Denied) => Promise<T>,
  ): Promise<T>;
  /** Lets no new call in. */
  stop(): void;
  readonly underWay: number;
}

export interface BookOptions {
  readonly settings: Settings;
  readonly reports: ReportQueue<HeldSession>;
  readonly newId: () => string;
}

/** The denial of a call whose session has ended or may not go on. */
export function denyEnded(asked: Asked, code: string, cause?: unknown): Denied {
  return denyLocally(asked, code, `${asked.tool} was not run: its session may not go on (${code}).`, { cause });
}

export function createBook({ settings, reports, newId }: BookOptions): Book {
  const underWay = new Set<string>();
  let stopped = false;

  const refuse = (held: HeldSession, asked: Asked): Denied | undefined => {
    if (stopped) return denyLocally(asked, "client_closed", `${asked.tool} was not run: the client was closed.`);
    const ended = held.endedBecause();
    if (ended !== undefined) return denyEnded(asked, ended);
    if (!underWay.has(keyOf(held.id, asked.callId))) return undefined;
    const message = `${asked.tool} was not run again: a call with this id is under way in this process.`;
    return denyLocally(asked, "call_in_progress", message, { retryable: true });
  };

  const denyForReports = (asked: Asked): Denied => {
    const message = `${asked.tool} was not run: too many reports wait for Remit at ${settings.where} to take them.`;
    return denyLocally(asked, "reports_full", message, { retryable: true });
  };

  // Callers that are faster than their reports wait here, for as long as a decision may take.
  const reserve = async (signal: AbortSignal | undefined): Promise<Slot | undefined> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giveUp = (): void => resolve();
    const cancel = settings.timers.after(settings.deadlineMs, giveUp);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await reports.reserve(promise);
    } finally {
      cancel();
      signal?.removeEventListener("abort", giveUp);
    }
  };

  return {
    enter: async (held, call, { signal, supportedConstraints = [] }, then) => {
      signal?.throwIfAborted();
      const supported = new Set([...settings.supportedConstraints, ...supportedConstraints]);
      const asked = fixCall(call, held.id, supported, newId);
      const refused = refuse(held, asked);
      if (refused) return then(refused);
      const key = keyOf(held.id, asked.callId);
      underWay.add(key);
      try {
        const slot = await reserve(signal);
        if (!slot) {
          signal?.throwIfAborted();
          return await then(denyForReports(asked));
        }
        try {
          return await then({ held, asked, slot, signal });
        } finally {
          slot.release();
        }
      } finally {
        underWay.delete(key);
      }
    },
    stop: () => {
      stopped = true;
    },
    get underWay() {
      return underWay.size;
    },
  };
}
