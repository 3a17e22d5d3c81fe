import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { Caller, CallerWord, Role } from "./caller.ts";
import { metBy, type Trust } from "./trust.ts";

/** Whom a caller stands for: itself, or whoever an issuer vouches for, as a person here and as a workload there. */
const handOf = ({ id, proof }: Caller) => (proof ? JSON.stringify([proof.issuer, proof.subject]) : id);

/** The hands that made a caller's key, directly or through keys that they made. */
function makersOf(caller: Caller, all: ReadonlyMap<string, Caller>): Set<string> {
  const makers = new Set<string>();
  for (let one = all.get(caller.createdBy ?? ""); one && !makers.has(handOf(one)); one = all.get(one.createdBy ?? "")) {
    makers.add(handOf(one));
  }
  return makers;
}

/**
 * How many of these callers can count as different people: the most of which none made another's key, and no two are the
 * same subject of an issuer. Whoever made a key may hold it. `all`: every caller of the tenant, revoked ones too, which
 * may stand between two.
 */
export function peopleAmong(callers: readonly Caller[], all: readonly Caller[]): number {
  const byId = new Map(all.map((caller) => [caller.id, caller]));
  const above = new Set(callers.flatMap((caller) => [...makersOf(caller, byId)]));
  // Keys make a forest, in which those that made none of the others are the most that stand apart.
  return new Set(callers.map(handOf).filter((hand) => !above.has(hand))).size;
}

/** What a token or a certificate said of a caller once: enough to see what bindings give it today. */
export type Remembered = Pick<CallerWord, "source" | "groups">;

/**
 * A caller with the rights that it has now, though it is not here to prove itself: a key has those of its row; anybody
 * else has what today's bindings give for what was last proven, and without that for its subject alone. Undefined for
 * one that was revoked, or that nothing gives a right any more.
 */
export async function presently(
  caller: Caller,
  trust: Trust,
  remembered: Remembered | undefined,
): Promise<Caller | undefined> {
  if (caller.revoked) return undefined;
  const { proof, tenant } = caller;
  if (!proof) return caller;
  const use = proof.kind === "person" ? "people" : "workloads";
  const issuer = trust.issuers.find((one) => one.issuer === proof.issuer && one.use === use && proof.kind !== "spiffe");
  const { source = issuer?.name ?? proof.kind, groups = [] } = remembered ?? {};
  const met = await metBy(trust, { ...proof, tenant, source, groups, expiresAtMs: undefined }, turnOfTheLoop);
  return met && { ...caller, ...met.rights };
}

/** What of a tenant's trust can give somebody a role: to be asked of many callers whether they have it. */
export function givingRole({ bindings, ...trust }: Trust, role: Role): Trust {
  return { ...trust, bindings: bindings.filter(({ roles }) => roles.includes(role)) };
}
