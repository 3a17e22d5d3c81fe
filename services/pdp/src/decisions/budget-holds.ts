import type { Clock } from "../foundation/clock.ts";
import { Fault, invalid } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Ledger, Seal } from "../ledger/index.ts";
import type { Snapshots } from "../policies/index.ts";
import type { BudgetBooksStore, HeldCall, HoldQuery, Verified } from "./budget-books-store.ts";
import type { HoldEnd } from "./budget-change.ts";
import type { MakeChange } from "./changes.ts";
import { endHold } from "./end-hold.ts";
import { longBodyOf } from "./replay.ts";

/** A hold as operators see it. */
export interface ShownHold extends HeldCall {
  /** Empty where its tenant was erased. */
  readonly tool: string;
}

/** What is held, and what operators do about what nobody reports on. */
export interface BudgetHolds {
  /** The oldest first. */
  list(by: Caller, query: HoldQuery): Promise<readonly ShownHold[]>;
  /**
   * Ends a hold as spent or released, with an entry that settles its call: a report that comes later is a correction, as
   * after an expiry. Releasing widens: whatever that takes was asked before. Answers the hold as it was.
   */
  resolve(by: Caller, hold: string, as: HoldEnd, reason: string): Promise<ShownHold>;
  verify(by: Caller): Promise<Verified>;
}

/** Differences that one answer names. */
const DIFFERENCES_MAX = 100;

function unknownHold(): Fault {
  return new Fault("missing", "hold_unknown", "nothing is held under that id", {
    field: "hold_id",
    fix: "list what is held: remit holds list; it may have been reported on, or its time may be over",
  });
}

export function createBudgetHolds(rooms: {
  readonly booksStore: BudgetBooksStore;
  readonly change: MakeChange;
  readonly ledger: Pick<Ledger, "findById">;
  readonly seal: Seal["seal"];
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): BudgetHolds {
  const { booksStore: store, change, ledger, seal, snapshots, clock, newId } = rooms;

  const shown = async (tenant: string, hold: HeldCall): Promise<ShownHold> => {
    const decision = await ledger.findById(tenant, hold.decision);
    const { tool } = decision && !decision.erased ? await longBodyOf(decision) : {};
    return { ...hold, tool: typeof tool === "string" ? tool : "" };
  };

  return {
    async list({ tenant }, query) {
      const holds = await store.holds(tenant, query);
      return Promise.all(holds.map((hold) => shown(tenant, hold)));
    },
    async resolve(by, id, as, reason) {
      const hold = await store.hold(by.tenant, id);
      if (!hold) throw unknownHold();
      if (hold.pending && as === "spent") {
        throw invalid("as", "the call waits for an approval: nothing of it has run", {
          fix: "release it, or refuse the approval",
        });
      }
      const before = await shown(by.tenant, hold);
      const nowMs = clock.now();
      const made = { id: newId(nowMs), nowMs, security: snapshots.security(by.tenant) };
      const ending = await seal(endHold(by, hold, { as, reason }, made));
      const what = { hold: id, decision: hold.decision, as, ending, by: by.id, reason } as const;
      const applied = await change(by, { kind: "hold_resolved", ...what });
      // Somebody reported on it, or its time was over, at this moment.
      if (!applied.ok) throw unknownHold();
      return before;
    },
    verify: ({ tenant }) => store.verify(tenant, DIFFERENCES_MAX),
  };
}
