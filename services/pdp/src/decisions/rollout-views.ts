import type { Caller } from "../identities/index.ts";
import type { RolloutInfo } from "../policies/index.ts";
import type { LifecycleRooms } from "./lifecycle.ts";
import { rolloutMissing } from "./rollouts.ts";
import { createTallyRollout, type TallyPage } from "./tally-rollout.ts";

/** What can be seen of a rollout. */
export interface RolloutViews {
  /** The one of that id; without one the one under way, else the last. */
  showRollout(caller: Caller, id: string | undefined): Promise<RolloutInfo>;
  /** Counts its decisions, the newest first, page by page. */
  tallyRollout(caller: Caller, id: string | undefined, beforeId: string | undefined): Promise<TallyPage>;
}

export function createRolloutViews({ policies, ledger, turns }: LifecycleRooms): RolloutViews {
  const tally = createTallyRollout({ ledger, turns });
  const showRollout = async (caller: Caller, id: string | undefined): Promise<RolloutInfo> => {
    const found = await policies.rollout(caller.tenant, id);
    if (!found) throw rolloutMissing(null);
    return found;
  };
  return {
    showRollout,
    tallyRollout: async (caller, id, beforeId) => tally(caller.tenant, await showRollout(caller, id), beforeId),
  };
}
