import { hash } from "node:crypto";
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../foundation/clock.ts";
import { createInterned } from "../foundation/interned.ts";
import { limits } from "../foundation/limits.ts";
import { createRecent } from "../foundation/recent.ts";
import { type Session, tokenExpired, tokenInvalid } from "./session.ts";
import type { SigningKey, SigningKeys } from "./signing-keys.ts";

const ALGORITHM = "EdDSA";
const TYPE = "remit-session+jwt";
const VERIFIED_TOKENS_MAX = 100_000;
const TENANTS_MAX = 10_000;
/** Tokens whose digest is kept beside them: those of the sessions that ask at the same time. */
const NAMED_TOKENS_MAX = 1024;

/** What a session's token says: which session, of which tenant, until when. Truth stays on the server. */
export interface TokenClaims {
  readonly session: string;
  readonly tenant: string;
  readonly expiresAtMs: number;
  /** Which key signed it. It must live at every use. */
  readonly kid: string;
}

export interface Tokens {
  issue(session: Session): Promise<{ token: string; expiresAtMs: number }>;
  /**
   * Throws a Fault for a token that is not ours; with `graceMs`, one that expired no longer ago still counts. What was verified
   * before is answered at once, without a promise.
   */
  verify(token: string, graceMs?: number): TokenClaims | Promise<TokenClaims>;
}

async function claimsOf(token: string, key: SigningKey): Promise<TokenClaims> {
  // At the beginning of time nothing has expired: expiry is judged at every use instead, with that use's own grace.
  const { payload } = await jwtVerify(token, key.publicKey, {
    algorithms: [ALGORITHM],
    typ: TYPE,
    issuer: "remit",
    audience: "remit",
    requiredClaims: ["sid", "ten", "exp"],
    currentDate: new Date(0),
  });
  return {
    session: String(payload.sid),
    tenant: String(payload.ten),
    expiresAtMs: (payload.exp ?? 0) * 1000,
    kid: key.kid,
  };
}

/** The fault for a token whose key was taken out of use. */
export function keyRetired(): Error {
  return tokenInvalid("the session's token was signed by a key that was retired; renew the session");
}

/**
 * What a token is remembered by: its SHA-256. A stream asks with the same token call after call, so the digests of a few are
 * kept, of such as counted when they were last used, so that no stranger drives them out. Whether one counts is asked each time.
 */
function createNames() {
  const names = new Map<string, string>();
  return {
    of: (token: string): string => names.get(token) ?? hash("sha256", token, "binary"),
    keep(token: string, name: string): void {
      if (names.has(token)) return;
      if (names.size >= NAMED_TOKENS_MAX) names.clear();
      names.set(token, name);
    },
    /** It was found to count no more. One that nobody sends again stays until so many others have come. */
    drop: (token: string) => void names.delete(token),
  };
}

/** Signs and verifies sessions' tokens. */
export function createTokens({ keys, clock }: { readonly keys: SigningKeys; readonly clock: Clock }): Tokens {
  // A verification costs 0.1 ms and its result never changes but for expiry and the key's life, compared at every use.
  // By the token's SHA-256: kept whole, a hundred thousand of them would take 40 MB, what the transport read them from included.
  const verified = createRecent<TokenClaims>(VERIFIED_TOKENS_MAX);
  const interned = createInterned(TENANTS_MAX);
  const names = createNames();

  const keyFor = async (token: string): Promise<SigningKey> => {
    const { kid = "" } = decodeProtectedHeader(token);
    const key = keys.held(kid) ?? (await keys.find(kid));
    if (!key) throw tokenInvalid("the session's token was signed by a key that is not ours, or not any more");
    return key;
  };

  const check = async (token: string): Promise<TokenClaims> => {
    try {
      return await claimsOf(token, await keyFor(token));
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw tokenInvalid("the session's token is not valid", error);
      }
      throw error;
    }
  };

  /** What a token says, unless its time is over. */
  const inTime = (claims: TokenClaims, token: string, name: string, graceMs: number): TokenClaims => {
    if (clock.now() >= claims.expiresAtMs + graceMs) {
      names.drop(token);
      throw tokenExpired();
    }
    names.keep(token, name);
    return claims;
  };
  const first = async (token: string, name: string, graceMs: number): Promise<TokenClaims> => {
    const checked = await check(token);
    const claims = { ...checked, tenant: interned(checked.tenant) };
    verified.set(name, claims);
    return inTime(claims, token, name, graceMs);
  };

  return {
    async issue(session) {
      const key = keys.newest();
      const expiresAtMs = Math.min(clock.now() + limits.tokenLifetimeSeconds * 1000, session.expiresAtMs);
      const token = await new SignJWT({ sid: session.id, ten: session.tenant })
        .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
        .setIssuer("remit")
        .setAudience("remit")
        .setExpirationTime(Math.floor(expiresAtMs / 1000))
        .sign(key.privateKey);
      return { token, expiresAtMs: Math.floor(expiresAtMs / 1000) * 1000 };
    },
    verify(token, graceMs = 0) {
      if (token.length > 2048) throw tokenInvalid("the session's token is too long");
      const name = names.of(token);
      const claims = verified.get(name);
      if (!claims) return first(token, name, graceMs);
      if (keys.held(claims.kid)) return inTime(claims, token, name, graceMs);
      verified.delete(name);
      names.drop(token);
      throw keyRetired();
    },
  };
}
