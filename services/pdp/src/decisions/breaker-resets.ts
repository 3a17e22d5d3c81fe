import type { Behaviour } from "../behaviour/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { BreakerChange, BreakerQuery, BreakerStore, TrippedBreaker } from "./breaker-store.ts";
import type { MakeChange } from "./changes.ts";

/** What breakers stop, and what operators set free. */
export interface BreakerResets {
  /** The newest first. */
  list(by: Caller, query: BreakerQuery): Promise<TrippedBreaker[]>;
  /**
   * Sets aside what was counted of a session's run until now, of one tool or of all: here when it resolves, elsewhere
   * within half a second.
   */
  reset(
    by: Caller,
    what: { readonly session: string; readonly tool: string | undefined; readonly reason: string },
  ): Promise<BreakerChange["reset"]>;
}

function sessionUnknown(): Fault {
  return new Fault("missing", "session_unknown", "there is no such session", { field: "session_id" });
}

export function createBreakerResets(rooms: {
  readonly breakerStore: BreakerStore;
  readonly behaviour: Pick<Behaviour, "setAside">;
  readonly change: MakeChange;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): BreakerResets {
  const { breakerStore: store, behaviour, change, clock, newId } = rooms;
  return {
    list: ({ tenant }, query) => store.tripped(tenant, query, clock.now()),
    async reset(by, { session, tool, reason }) {
      const run = await store.runOf(by.tenant, session);
      if (run === null) throw sessionUnknown();
      const atMs = clock.now();
      const reset = { id: newId(atMs), run, tool, reason, atMs, by: by.id };
      const done = await change(by, { kind: "breaker_reset", reset });
      if (!done.ok) throw sessionUnknown();
      behaviour.setAside({ tenant: by.tenant, run, tool, atMs });
      return reset;
    },
  };
}
