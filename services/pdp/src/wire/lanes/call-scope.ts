import { Fault } from "../../foundation/fault.ts";
import type { Call } from "../call.ts";

/** What a lane learnt from a call's headers. */
export type Heard = Pick<Call, "authorization" | "certified" | "sessionToken" | "traceparent" | "deadlineMs" | "lane">;

/** A call, and the lane's hold on its signal. */
export interface CallScope {
  readonly call: Call;
  /** It was answered, or cut. */
  readonly over: boolean;
  /** The answer has left: what happens to the connection afterwards no longer concerns the call. */
  finish(): void;
  /** The peer is gone or its time is up. `reason` defaults to whichever of the two it was. */
  cut(reason?: unknown): void;
}

/** What a call is answered whose deadline passed first. */
export function deadlinePassed(): Fault {
  return new Fault("timeout", "deadline_exceeded", "the caller's deadline passed before there was an answer", {
    fix: "ask again with the same call_id and a later deadline",
  });
}

/** Why every call ends whose caller hung up: one for all, since thousands hang up at once, and a stack says nothing. */
const hungUp = new DOMException("the caller hung up", "AbortError");

// Timers may fire a millisecond before the time they were set for.
const timerSlackMs = 1;

/** Opens a call with one AbortController, since a hang-up and a deadline reach a lane as one event. */
export function openCall(heard: Heard): CallScope {
  const controller = new AbortController();
  let over = false;
  return {
    call: {
      authorization: heard.authorization,
      certified: heard.certified,
      sessionToken: heard.sessionToken,
      traceparent: heard.traceparent,
      deadlineMs: heard.deadlineMs,
      signal: controller.signal,
      lane: heard.lane,
    },
    get over() {
      return over;
    },
    finish() {
      over = true;
    },
    cut(reason) {
      if (over) return;
      over = true;
      const late = heard.deadlineMs !== undefined && Date.now() >= heard.deadlineMs - timerSlackMs;
      controller.abort(reason ?? (late ? deadlinePassed() : hungUp));
    },
  };
}
