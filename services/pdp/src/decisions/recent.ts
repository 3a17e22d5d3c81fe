import { msOf } from "../foundation/clock.ts";
import type { limits } from "../foundation/limits.ts";
import { oldestKeyOf } from "../foundation/oldest-key.ts";
import type { Decision, ReportedOn } from "./decision.ts";
import type { HeldAmount, SparedAmount } from "./holding.ts";

/** Where a decision was made. */
export interface DecidedIn {
  readonly tenant: string;
  readonly session: string;
  /** The security revision of its tenant that it was recorded under. */
  readonly security: bigint;
}

/**
 * What reports read of decisions that were recorded here, so that a report of one asks the store for nothing before it is
 * recorded. Only what never changes is remembered: whether a decision was settled, ran out or was handed on is found by the
 * commit of its report, under its locks, wherever the decision was read.
 *
 * Three things are told by the store alone. That a tenant was erased: that changes its security revision, so what was
 * recorded under another than the report is judged under is read anew, and the commit refuses a report that is judged under
 * too old a one. What became of a decision once its time is over, its day dropped with it: it is remembered until then.
 * And what was recorded elsewhere.
 */
export interface RecentDecisions {
  /** To be called once it is recorded. Of one that no tool runs by nothing is remembered. */
  keep(where: DecidedIn, decision: Omit<Decision, "record" | "replayed">): void;
  /** Undefined where it has to be read. */
  find(id: string, where: DecidedIn, nowMs: number): ReportedOn | undefined;
  /** It was settled: the next report of it is none that has to be fast. */
  forget(id: string): void;
}

interface Kept {
  readonly where: DecidedIn;
  readonly decision: ReportedOn;
  readonly untilMs: number;
  readonly bytes: number;
}

// Of the objects themselves, about; a character of their texts may take two.
const KEPT_BYTES = 512;
const AMOUNT_BYTES = 128;
const CHAR_BYTES = 2;

function bytesOf({ body, askedBy, callId, tool }: ReportedOn): number {
  const { holds, would_hold: watched = [], covered_by: spared = [] } = body;
  const amounts: readonly (HeldAmount | SparedAmount)[] = [...holds, ...watched, ...spared];
  const chars = amounts.reduce((sum, { budget, key = "" }) => sum + budget.length + key.length, 0);
  const own = askedBy.length + callId.length + tool.length;
  return KEPT_BYTES + amounts.length * AMOUNT_BYTES + (chars + own) * CHAR_BYTES;
}

/** What reports read of it, without what policies said: that may be long. */
function shortened({ body, askedBy, callId, tool }: ReportedOn): ReportedOn {
  const { id, effect, mode, at, report_by, input_digest, effective_input_digest } = body;
  const { holds, hold, would_hold, covered_by } = body;
  return {
    ...{ askedBy, callId, tool },
    body: {
      ...{ id, effect, mode, at, input_digest, effective_input_digest, holds },
      ...(report_by !== undefined && { report_by }),
      ...(hold !== undefined && { hold }),
      ...(would_hold && { would_hold }),
      ...(covered_by && { covered_by }),
    },
  };
}

const same = (one: DecidedIn, other: DecidedIn) =>
  one.session === other.session && one.tenant === other.tenant && one.security === other.security;

type Bounds = Pick<{ [Name in keyof typeof limits]: number }, "recentDecisionsMax" | "recentDecisionsBytesMax">;

/** Remembers as many as may be, and lets the oldest go. */
export function createRecentDecisions({ recentDecisionsMax, recentDecisionsBytesMax }: Bounds): RecentDecisions {
  // In the order in which they were recorded.
  const kept = new Map<string, Kept>();
  const oldest = oldestKeyOf(kept);
  let bytes = 0;

  const forget = (id: string) => {
    const one = kept.get(id);
    if (!one) return;
    kept.delete(id);
    bytes -= one.bytes;
  };
  return {
    keep(where, whole) {
      const { id, report_by: reportBy } = whole.body;
      if (reportBy === undefined) return;
      const decision = shortened(whole);
      const one = { where, decision, untilMs: msOf(reportBy), bytes: bytesOf(decision) };
      kept.set(id, one);
      bytes += one.bytes;
      while (kept.size > recentDecisionsMax || bytes > recentDecisionsBytesMax) {
        const first = oldest();
        if (first === undefined) return;
        forget(first);
      }
    },
    find(id, where, nowMs) {
      const one = kept.get(id);
      return one && same(one.where, where) && nowMs <= one.untilMs ? one.decision : undefined;
    },
    forget,
  };
}

/** Remembers nothing: everything is read. */
export const noRecentDecisions: RecentDecisions = { keep: () => {}, find: () => undefined, forget: () => {} };
