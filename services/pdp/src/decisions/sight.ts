import type { Clock } from "../foundation/clock.ts";
import type { Caller, Stranger } from "../identities/index.ts";
import type { MakeChange } from "./changes.ts";

/**
 * Gives a caller that came by somebody else's word a row and an entry, so that records can name it. Two replicas may see
 * it at once: the first row stands.
 */
export function createSight(rooms: {
  readonly change: MakeChange;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
}): (stranger: Stranger) => Promise<void> {
  const { change, clock, newId } = rooms;
  return async (stranger) => {
    const nowMs = clock.now();
    const id = newId(nowMs);
    const rights = { roles: [], agents: [], mayAssertPrincipals: false };
    const caller: Caller = { ...stranger, ...rights, id, revoked: false, createdAtMs: nowMs };
    const made = await change(caller, { kind: "caller_sighted", caller });
    if (made.ok) return;
    // Its row is there by now, or a key has its name: names tell people apart, not callers.
    const named = { ...caller, name: `${caller.name} ${id}` };
    await change(named, { kind: "caller_sighted", caller: named });
  };
}
