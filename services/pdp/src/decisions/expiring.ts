import type { BudgetStore } from "../budgets/index.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import type { Charging } from "./charging.ts";
import { draftExpiry } from "./expiry-entry.ts";

/** Holds that are ended in one go. */
const AT_ONCE_MAX = 256;

interface ExpiringRooms {
  readonly store: Pick<BudgetStore, "overdueHolds">;
  readonly ledger: Pick<Ledger, "record">;
  readonly charging: Pick<Charging, "heard">;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Called for every hold that was ended here because its time was over. */
  readonly onExpired: () => void;
}

/**
 * Ends holds whose time is over, the oldest first: any replica may, and of two that do one does. Answers how many it found.
 * Nothing was judged for it, so no revision makes it too old.
 */
export function createExpiring(rooms: ExpiringRooms): () => Promise<number> {
  const { store, ledger, charging, clock, newId, onExpired } = rooms;

  const record = async (draft: ReturnType<typeof draftExpiry>): Promise<StoredRecord | undefined> => {
    const recorded = await ledger.record(draft);
    if (recorded.outcome === "inserted") {
      if (recorded.balances) charging.heard(recorded.balances);
      onExpired();
    }
    return recorded.outcome === "existing" ? recorded.record : undefined;
  };

  return async () => {
    const holds = await store.overdueHolds(AT_ONCE_MAX);
    const ended = holds.map(async (hold) => {
      const nowMs = clock.now();
      const settled = await record(draftExpiry(hold, newId(nowMs), nowMs));
      // Its decision was settled by a build that knew no holds: the report stands, and the hold ends beside it.
      if (settled) await record(draftExpiry(hold, newId(nowMs), nowMs, true));
    });
    const failed = (await Promise.allSettled(ended)).find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    return holds.length;
  };
}
