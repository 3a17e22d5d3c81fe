import { errors, jwtVerify } from "jose";
import type { JsonObject } from "../foundation/canonical.ts";
import { limits } from "../foundation/limits.ts";
import type { CompactJwt } from "./compact-jwt.ts";
import type { KeySet, KeySource } from "./issuer-keys.ts";
import { checkHeader, type Said, saidBy } from "./jwt-claims.ts";
import { JwtRefused } from "./jwt-refused.ts";
import type { Issuer } from "./trust.ts";

/** A token that is true: what it says, and by which keys it was found so. */
export interface Verified {
  readonly said: Said;
  readonly keys: KeySet;
}

function refusal(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new JwtRefused("expired", "the token has expired", error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    const message = error.claim === "nbf" ? "the token is not valid yet" : `the token's ${error.claim} is not the one`;
    return new JwtRefused("invalid", message, error);
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return new JwtRefused("invalid", "the token's signature is not its issuer's", error);
  }
  return error;
}

async function check(token: string, issuer: Issuer, keys: KeySet, nowMs: number): Promise<JsonObject> {
  const { payload } = await jwtVerify(token, keys.find, {
    algorithms: [...issuer.algorithms],
    audience: [...issuer.audiences],
    // A JWT-SVID need not name one: its subject's trust domain is what counts.
    ...(issuer.profile !== "spiffe" && { issuer: issuer.issuer }),
    requiredClaims: ["exp", "aud", "sub"],
    clockTolerance: limits.clockSkewSeconds,
    currentDate: new Date(nowMs),
  });
  return payload as unknown as JsonObject;
}

/**
 * Verifies a token by its issuer's keys, reading them again when they lack the one it names. Throws `JwtRefused`.
 * Nothing in the token says how: not its algorithm, not a key or an address in its header.
 */
export async function verifyJwt(
  token: string,
  { header }: CompactJwt,
  issuer: Issuer,
  source: KeySource,
  nowMs: number,
): Promise<Verified> {
  checkHeader(header, issuer);
  const away = () => new JwtRefused("away", `the keys of the issuer ${issuer.name} cannot be read`);
  let keys = source.current();
  if (!keys) {
    await source.refresh();
    keys = source.current();
    if (!keys) throw away();
  }
  try {
    return { said: saidBy(header, await check(token, issuer, keys, nowMs), issuer, nowMs), keys };
  } catch (error) {
    // A key that is there and is for something else is no reason to ask for it.
    const isNew = error instanceof errors.JWKSNoMatchingKey && !(header.kid !== undefined && keys.kids.has(header.kid));
    if (!isNew) throw refusal(error);
  }
  // A key that was made since they were read, or one that somebody made up.
  const wasRead = await source.refresh();
  const newer = source.current();
  if (!wasRead || !newer) throw away();
  try {
    return { said: saidBy(header, await check(token, issuer, newer, nowMs), issuer, nowMs), keys: newer };
  } catch (error) {
    throw refusal(error);
  }
}
