import { limits } from "../foundation/limits.ts";
import { JwtRefused } from "./jwt-refused.ts";

/**
 * Who acted for a principal, the present actor outermost. Source: the OAuth Actor Profile, whose JSON this is: an actor
 * is the pair of issuer and subject.
 */
export interface Act {
  readonly iss: string;
  readonly sub: string;
  readonly sub_profile?: string;
  readonly act?: Act;
}

/** A token's `act` claim; undefined without one. Throws for one that is too deep, or of another form: it is never cut. */
export function actFrom(claim: unknown, depth = 1): Act | undefined {
  if (claim === undefined) return undefined;
  if (depth > limits.delegationDepthMax) {
    throw new JwtRefused("invalid", `the token names more than ${limits.delegationDepthMax} actors, one for the other`);
  }
  if (typeof claim !== "object" || claim === null || Array.isArray(claim)) {
    throw new JwtRefused("invalid", "the token's act is no object");
  }
  const { iss, sub, sub_profile: profile, act } = claim as Record<string, unknown>;
  if (!isName(iss) || !isName(sub) || !(profile === undefined || isName(profile))) {
    throw new JwtRefused("invalid", "an actor in the token is not named by iss and sub");
  }
  const inner = actFrom(act, depth + 1);
  return { iss, sub, ...(profile !== undefined && { sub_profile: profile }), ...(inner && { act: inner }) };
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && Buffer.byteLength(value) <= limits.subjectBytesMax;
