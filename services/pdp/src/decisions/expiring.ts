import type { BudgetStore, OpenHold } from "../budgets/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Ledger, StoredRecord } from "../ledger/index.ts";
import type { Charging } from "./charging.ts";
import { draftExpiry } from "./expiry-entry.ts";

/** Holds that are read and ended at a time, and how many times in one go: each may be of as many accounts as a call. */
const AT_ONCE_MAX = 64;
const TIMES_MAX = 4;

/** Accounts of which entries are written in one turn of the event loop. */
const PARTS_AT_ONCE = 1_000;

type Ended = { readonly error: unknown } | undefined;
const nothingFailed = () => undefined;

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

  const end = async (hold: OpenHold): Promise<void> => {
    const nowMs = clock.now();
    const settled = await record(draftExpiry(hold, newId(nowMs), nowMs));
    // Its decision was settled by a build that knew no holds: the report stands, and the hold ends beside it.
    if (settled) await record(draftExpiry(hold, newId(nowMs), nowMs, true));
  };

  const endSome = async (): Promise<{ readonly found: number; readonly failed: Ended }> => {
    const holds = await store.overdueHolds(AT_ONCE_MAX);
    const ended: Promise<Ended>[] = [];
    let parts = 0;
    for (const hold of holds) {
      ended.push(end(hold).then(nothingFailed, (error: unknown) => ({ error })));
      parts += hold.parts.length;
      if (parts < PARTS_AT_ONCE) continue;
      parts = 0;
      await turnOfTheLoop();
    }
    const failed = (await Promise.all(ended)).find((one) => one !== undefined);
    return { found: holds.length, failed };
  };

  return async () => {
    let all = 0;
    let first: Ended;
    for (let times = 0; times < TIMES_MAX; times++) {
      const { found, failed } = await endSome();
      all += found;
      // One that cannot be ended is read again with those after it, which can.
      first ??= failed;
      if (found < AT_ONCE_MAX) break;
    }
    if (first) throw first.error;
    return all;
  };
}
