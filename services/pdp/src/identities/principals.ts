import type { Clock } from "../foundation/clock.ts";
import { Fault } from "../foundation/fault.ts";
import { limits } from "../foundation/limits.ts";
import type { Act } from "./act.ts";
import type { Caller } from "./caller.ts";
import { readCompact, saidIssuer } from "./compact-jwt.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { Said } from "./jwt-claims.ts";
import { faultOf, JwtRefused } from "./jwt-refused.ts";
import type { Proven } from "./proven.ts";
import type { Principal } from "./session.ts";
import type { Issuer } from "./trust.ts";
import { verifyJwt } from "./verify-jwt.ts";

/** A principal that a token proved. */
export interface ProvedPrincipal {
  readonly principal: Principal;
  /** The name of the issuer. */
  readonly principalIssuer: string;
  /** Who acted for it before, as its token says. */
  readonly act: Act | undefined;
  /** The longest that a session for it may live. */
  readonly sessionSecondsMax: number;
}

/** The principal of a subject token that this caller sends. Throws `token_invalid`, `token_expired`, `actor_not_meant`. */
export type ProvePrincipal = (caller: Caller, token: string) => Promise<ProvedPrincipal>;

/** The one issuer of the tenant whose token this is, and which says for whom sessions are. */
function issuerOf(token: ReturnType<typeof readCompact>, trusted: readonly Issuer[]): Issuer {
  const { issuers, audiences } = saidIssuer(token);
  const matching = trusted.filter(
    (one) => issuers.includes(one.issuer) && one.audiences.some((audience) => audiences.includes(audience)),
  );
  const [only, ...more] = matching;
  if (only === undefined || more.length > 0) {
    throw new JwtRefused("invalid", "no issuer of principals is trusted here for the token's iss and aud");
  }
  if (only.use !== "principals") throw new JwtRefused("invalid", "the token says who calls, not for whom a session is");
  return only;
}

/** Refuses a caller that a token does not let act for its subject (RFC 8693, section 4.4). */
function requireMayAct({ proof, name }: Caller, { mayAct }: Said): void {
  if (mayAct === undefined) return;
  if (proof !== undefined && proof.subject === mayAct.sub && proof.issuer === mayAct.iss) return;
  throw new Fault("forbidden", "actor_not_meant", `the token does not let the caller ${name} act for its subject`, {
    field: "subject_token",
    fix: "send it by the actor that its may_act names, or get a token that names this one",
  });
}

export function createPrincipals(rooms: {
  readonly proven: Pick<Proven, "trust">;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
}): ProvePrincipal {
  const { proven, keys, clock } = rooms;
  return async (caller, token) => {
    try {
      const compact = readCompact(token);
      const { row } = await proven.trust(caller.tenant, true);
      const issuer = issuerOf(compact, row.issuers);
      const { said } = await verifyJwt(token, compact, issuer, keys.of(issuer), clock.now());
      requireMayAct(caller, said);
      const id = issuer.principalPrefix + said.subject;
      if (Buffer.byteLength(id) > limits.nameBytesMax) {
        throw new JwtRefused("invalid", `the principal's id is longer than ${limits.nameBytesMax} bytes`);
      }
      const principal = { id, verified: true, labels: said.labels };
      const { name: principalIssuer, sessionSecondsMax } = issuer;
      return { principal, principalIssuer, act: said.act, sessionSecondsMax };
    } catch (error) {
      throw faultOf("subject_token", error);
    }
  };
}
