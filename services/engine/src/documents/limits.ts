import { integer, optional, type Reader, record } from "./shape.ts";

/**
 * How often something may happen before breakers stop the next call: of a tool's calls in one session, or of every
 * tool's that a policy's agents call. What is named replaces the service's default, up or down; of several that name it
 * the strictest binds.
 */
export interface LimitsDocument {
  /** Identical calls within ten minutes that brought nothing new. */
  readonly identical?: number;
  /** Failures one after the other. */
  readonly failures?: number;
  /** Denials of one class one after the other. */
  readonly denials?: number;
  readonly perSecond?: number;
  readonly perMinute?: number;
}

/** The most that breakers remember of one tool in one session. */
const countMax = 1000;

const count = integer(1, countMax);

export const readLimits: Reader<LimitsDocument> = record({
  identical: optional(count),
  failures: optional(count),
  denials: optional(count),
  perSecond: optional(count),
  perMinute: optional(count),
});
