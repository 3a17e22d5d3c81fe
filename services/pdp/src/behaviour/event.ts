/**
 * What breakers remember of a call and of its report: enough to judge the next call, nothing of what was asked. Every
 * event is made from a record and is part of it, so whoever reads the same records knows the same.
 */

/** What a breaker stops. `identical` and `denials` and `failures` are loops, `second` and `minute` are floods. */
export const TRIP_KINDS = ["identical", "failures", "denials", "second", "minute", "spending"] as const;
export type TripKind = (typeof TRIP_KINDS)[number];

/** Denials that mean the same to whoever repeats them. */
export const DENIAL_CLASSES = ["policy", "call", "scope", "budget", "approval"] as const;
export type DenialClass = (typeof DENIAL_CLASSES)[number];

/** Whose calls were counted: those of one session, of all sessions under the one that was opened, or of the agent. */
export type Reach = "session" | "run" | "agent";

/** That a breaker opened. */
export interface TripEvent {
  readonly kind: TripKind;
  readonly reach: Reach;
  /** Of `identical` the call's input, of `denials` their class, of `spending` the budget; else empty. */
  readonly of: string;
  /** How many trips of its kind came before it, without a success in between. From 0. */
  readonly level: number;
  readonly untilMs: number;
  /** It stopped nothing: it only says what would have been. */
  readonly observed: boolean;
}

interface Seen {
  /** Of the record, a UUIDv7. */
  readonly id: string;
  /** When it was decided or reported, by the service's clock. */
  readonly atMs: number;
  readonly session: string;
  readonly tool: string;
  /** Of its tool and input, shortened. */
  readonly input: string;
}

/** A call that was decided. */
export interface CallEvent extends Seen {
  readonly event: "call";
  /** Which call it was an attempt of, shortened. */
  readonly call: string;
  readonly attempt: number;
  /** `let`: it may run. `paused`: it waits for people or answers. */
  readonly said: "let" | "paused" | "denied";
  /** Of a denial that breakers count. */
  readonly denial?: DenialClass;
  /** A breaker was opened by it. */
  readonly trip?: TripEvent;
  /** It went on although a breaker that only watches would have stopped it: to that one it is no call. */
  readonly passed?: true;
}

/** A call that was reported on. */
export interface EndEvent extends Seen {
  readonly event: "end";
  /** Id of the decision. */
  readonly decision: string;
  readonly outcome: "succeeded" | "failed";
  /** When it was decided. */
  readonly calledAtMs: number;
  /** Of what it answered, shortened; empty when it was not said. */
  readonly output: string;
}

export type BehaviourEvent = CallEvent | EndEvent;
