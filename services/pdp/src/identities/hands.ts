import type { Caller } from "./caller.ts";

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
