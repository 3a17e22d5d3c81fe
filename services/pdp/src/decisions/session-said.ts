import { Canonical, type Canonicalisable, canonical } from "../foundation/canonical.ts";
import { oldestKeyOf } from "../foundation/oldest-key.ts";
import type { Session } from "../identities/index.ts";

/** What every entry of a session says of it, in its canonical form. */
export interface SessionSaid {
  readonly act: Canonical;
  readonly chain: Canonical;
  readonly principal: Canonical;
}

/** The sessions from the root to the one that asks, and whose runs they are. */
function chainOf({ id, agent, ancestors }: Session): Canonicalisable {
  const self = { session: id, agent };
  if (ancestors.length === 0) return [self];
  return [...ancestors.map((link) => ({ session: link.id, agent: link.agent })), self];
}

/**
 * Who acts, outermost, and within it who handed the work on, up to the root: the `act` of RFC 8693 with the members of
 * the actor profile (draft-mcguinness-oauth-actor-profile). An agent is named by its tenant and its name together.
 * Innermost, whoever had acted for the principal before, as its token says.
 */
function actOf({ tenant, agent, ancestors, act: inbound }: Session): Canonicalisable {
  const actor = (sub: string) => ({ iss: `remit:${tenant}`, sub, sub_profile: "ai_agent" });
  let act = inbound as Canonicalisable | undefined;
  for (const link of ancestors) act = { ...actor(link.agent), ...(act !== undefined && { act }) };
  return { ...actor(agent), ...(act !== undefined && { act }) };
}

/** Sessions of which it is kept, at about half a kilobyte each: those that ask at the same time, and not all that are open. */
const SESSIONS_MAX = 1024;

// A session is never changed: what is heard of it makes another, with texts of its own.
const known = new Map<Session, SessionSaid>();
const oldest = oldestKeyOf(known);

/** Written once for many calls: half of what an entry says is the same as in the one before it. */
export function sessionSaid(session: Session): SessionSaid {
  const there = known.get(session);
  if (there) return there;
  const written = (value: Canonicalisable) => new Canonical(canonical(value));
  const said = {
    ...{ act: written(actOf(session)), chain: written(chainOf(session)) },
    principal: written(session.principal),
  };
  known.set(session, said);
  const first = known.size > SESSIONS_MAX ? oldest() : undefined;
  if (first) known.delete(first);
  return said;
}
