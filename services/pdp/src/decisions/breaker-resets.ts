import type { Behaviour } from "../behaviour/index.ts";
import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Snapshots } from "../policies/index.ts";
import type { BreakerChange, BreakerQuery, BreakerStore, TrippedBreaker } from "./breaker-store.ts";
import type { MakeChange } from "./changes.ts";

/** What an operator sets aside, and why. */
export type SetAside = { readonly reason: string } & (
  | { readonly session: string; readonly tool: string | undefined }
  | { readonly agent: string }
);

/** What breakers stop, and what operators set free. */
export interface BreakerResets {
  /** The newest first. */
  list(by: Caller, query: BreakerQuery): Promise<TrippedBreaker[]>;
  /**
   * Sets aside what was counted of a session's run until now, of one tool or of all: here when it resolves, elsewhere
   * within half a second. Or what an agent has spent: everywhere when it resolves, until the windows end that are open.
   */
  reset(by: Caller, what: SetAside): Promise<BreakerChange["reset"]>;
}

function sessionUnknown(): Fault {
  return new Fault("missing", "session_unknown", "there is no such session", { field: "session_id" });
}

function agentUnknown(): Fault {
  return new Fault("missing", "agent_unknown", "there is no such agent", {
    field: "agent",
    fix: "list them: remit agents list",
  });
}

export function createBreakerResets(rooms: {
  readonly breakerStore: BreakerStore;
  readonly behaviour: Pick<Behaviour, "setAside">;
  readonly change: MakeChange;
  readonly snapshots: Pick<Snapshots, "current">;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): BreakerResets {
  const { breakerStore: store, behaviour, change, clock, newId, snapshots } = rooms;
  const runOf = async (tenant: string, session: string) => {
    const run = await store.runOf(tenant, session);
    if (run === null) throw sessionUnknown();
    return run;
  };
  return {
    list: ({ tenant }, query) => store.tripped(tenant, query, clock.now()),
    async reset(by, what) {
      const { tenant } = by;
      const agent = "agent" in what ? what.agent : undefined;
      const [run, tool] = "agent" in what ? [] : [await runOf(tenant, what.session), what.tool];
      if (agent !== undefined && !(await snapshots.current(tenant)).agents.has(agent)) throw agentUnknown();
      const atMs = clock.now();
      const reset = { id: newId(atMs), run, agent, tool, reason: what.reason, atMs, by: by.id };
      const done = await change(by, { kind: "breaker_reset", reset });
      if (!done.ok) throw agent === undefined ? sessionUnknown() : agentUnknown();
      if (run !== undefined) behaviour.setAside({ tenant, run, tool, atMs });
      return reset;
    },
  };
}
