import type { Caller, CallerWord } from "./caller.ts";
import { rightsOf, type Trust } from "./trust.ts";

/** A caller, and every caller that made it, directly or through keys that it made. */
function makersOf(caller: Caller, all: ReadonlyMap<string, Caller>): Set<string> {
  const makers = new Set<string>();
  let id: string | undefined = caller.id;
  while (id !== undefined && !makers.has(id)) {
    makers.add(id);
    id = all.get(id)?.createdBy;
  }
  return makers;
}

/**
 * How many of these callers can count as different people: the most of which none made another's key. Whoever made a key
 * may hold it. `all`: every caller of the tenant, revoked ones too, which may stand between two.
 */
export function peopleAmong(callers: readonly Caller[], all: readonly Caller[]): number {
  const byId = new Map(all.map((caller) => [caller.id, caller]));
  const above = new Set<string>();
  for (const caller of callers) {
    for (const maker of makersOf(caller, byId)) if (maker !== caller.id) above.add(maker);
  }
  // Keys make a forest, in which those that made none of the others are the most that stand apart.
  return callers.filter(({ id }) => !above.has(id)).length;
}

/** What a token or a certificate said of a caller once: enough to see what bindings give it today. */
export type Remembered = Pick<CallerWord, "source" | "groups">;

/**
 * A caller with the rights that it has now, though it is not here to prove itself: a key has those of its row; anybody
 * else has what today's bindings give for what was last proven, and without that for its subject alone. Undefined for
 * one that was revoked, or that nothing gives a right any more.
 */
export function presently(caller: Caller, trust: Trust, remembered: Remembered | undefined): Caller | undefined {
  if (caller.revoked) return undefined;
  const { proof, tenant } = caller;
  if (!proof) return caller;
  const named = trust.issuers.find(({ issuer, use }) => issuer === proof.issuer && use !== "principals")?.name;
  const { source = named ?? proof.kind, groups = [] } = remembered ?? {};
  const rights = rightsOf(trust, { ...proof, tenant, source, groups, expiresAtMs: undefined });
  return rights && { ...caller, ...rights };
}
