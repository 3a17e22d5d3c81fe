import { type ConsideredRule, explain } from "@remit/engine";
import type { Clock } from "../foundation/clock.ts";
import { requireUsable, type Snapshots } from "../policies/index.ts";
import type { Ask, WhoAsks } from "./ask.ts";
import { revisionNumber, type Would } from "./decision.ts";
import { reasonOf, wouldOf } from "./entry.ts";
import { factsOf, judge } from "./judge.ts";

/** What would be decided, and how every rule that was considered came out. */
export interface Explained {
  readonly verdict: Would;
  readonly mode: "enforced" | "observed";
  /** What enforcement would answer, where that differs from the verdict. */
  readonly would: Would | undefined;
  readonly considered: readonly ConsideredRule[];
  readonly revision: bigint;
  readonly policyDigest: string;
}

/** Judges a call and shows why. Nothing is recorded, so nothing is decided. */
export function createExplain(rooms: {
  readonly snapshots: Snapshots;
  readonly clock: Clock;
}): (who: WhoAsks, ask: Ask) => Promise<Explained> {
  return async (who, ask) => {
    const asker = await who();
    const snapshot = requireUsable(await rooms.snapshots.current(asker.session.tenant));
    const nowMs = rooms.clock.now();
    const { verdict } = judge(snapshot, asker, ask, 1, nowMs);
    const { considered } = explain(snapshot.compiled, factsOf(snapshot, asker, ask, 1, nowMs));
    const { effect, rules, mode } = verdict;
    return {
      verdict: { effect, rules, reason: reasonOf(verdict) },
      mode,
      would: wouldOf(verdict),
      considered,
      revision: revisionNumber(snapshot.revisions),
      policyDigest: snapshot.policyDigest,
    };
  };
}
