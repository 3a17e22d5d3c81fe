import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, decodeProtectedHeader, errors, type JWK, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import type { Clock } from "../foundation/clock.ts";
import type { Random } from "../foundation/ids.ts";
import { unwrapBy, type WrappingKeys, wrap } from "../foundation/key-wrap.ts";
import { limits } from "../foundation/limits.ts";
import type { IdentityStore, StoredSigningKey } from "./identity-store.ts";
import { type Session, tokenExpired, tokenInvalid } from "./session.ts";

const ALGORITHM = "EdDSA";
const TYPE = "remit-session+jwt";
const VERIFIED_TOKENS_MAX = 100_000;

/** What a session's token says: which session, of which tenant, until when. Truth stays on the server. */
export interface TokenClaims {
  readonly session: string;
  readonly tenant: string;
  readonly expiresAtMs: number;
}

interface SigningKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface Tokens {
  issue(session: Session): Promise<{ token: string; expiresAtMs: number }>;
  /** Throws a Fault for a token that is not ours; with `graceMs`, one that expired no longer ago still counts. */
  verify(token: string, graceMs?: number): Promise<TokenClaims>;
}

function purpose(kid: string): string {
  return `signing-key/${kid}`;
}

async function makeKey({ current }: WrappingKeys, random: Random): Promise<StoredSigningKey> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicJwk = publicKey.export({ format: "jwk" }) as Record<string, string>;
  // RFC 7638: the same key has the same name everywhere.
  const kid = await calculateJwkThumbprint(publicJwk as JWK);
  const secret = privateKey.export({ format: "der", type: "pkcs8" });
  return {
    kid,
    publicJwk,
    wrappedPrivate: wrap(current, purpose(kid), secret, random),
    wrappedBy: current.id,
  };
}

function openKey(stored: StoredSigningKey, wrapping: WrappingKeys): SigningKey {
  const secret = unwrapBy(wrapping, purpose(stored.kid), { bytes: stored.wrappedPrivate, by: stored.wrappedBy });
  return {
    kid: stored.kid,
    publicKey: createPublicKey({ key: stored.publicJwk as JWK, format: "jwk" }),
    privateKey: createPrivateKey({ key: secret, format: "der", type: "pkcs8" }),
  };
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
  return { session: String(payload.sid), tenant: String(payload.ten), expiresAtMs: (payload.exp ?? 0) * 1000 };
}

/** Loads the signing keys, making the first one, and answers what signs and verifies sessions' tokens. */
export async function createTokens(options: {
  store: IdentityStore;
  wrapping: WrappingKeys;
  random: Random;
  clock: Clock;
}): Promise<Tokens> {
  const { store, wrapping, random, clock } = options;
  let stored = await store.signingKeys();
  if (stored.length === 0) stored = await store.addFirstSigningKey(await makeKey(wrapping, random));
  let keys = new Map(stored.map((key) => [key.kid, openKey(key, wrapping)]));
  const newest = stored[0]?.kid ?? "";
  // A verification costs 0.1 ms and its result never changes but for expiry, which is compared at every use.
  const verified = new LRUCache<string, TokenClaims>({ max: VERIFIED_TOKENS_MAX });

  const keyFor = async (token: string): Promise<SigningKey> => {
    const { kid } = decodeProtectedHeader(token);
    const known = keys.get(kid ?? "");
    if (known) return known;
    // Another replica may have made a key since.
    keys = new Map((await store.signingKeys()).map((key) => [key.kid, openKey(key, wrapping)]));
    const found = keys.get(kid ?? "");
    if (!found) throw tokenInvalid("the session's token was signed by a key that is not ours");
    return found;
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

  return {
    async issue(session) {
      const key = keys.get(newest);
      if (!key) throw new Error("no signing key is loaded");
      const expiresAtMs = Math.min(clock.now() + limits.tokenLifetimeSeconds * 1000, session.expiresAtMs);
      const token = await new SignJWT({ sid: session.id, ten: session.tenant })
        .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
        .setIssuer("remit")
        .setAudience("remit")
        .setExpirationTime(Math.floor(expiresAtMs / 1000))
        .sign(key.privateKey);
      return { token, expiresAtMs: Math.floor(expiresAtMs / 1000) * 1000 };
    },
    async verify(token, graceMs = 0) {
      if (token.length > 2048) throw tokenInvalid("the session's token is too long");
      let claims = verified.get(token);
      if (!claims) {
        claims = await check(token);
        verified.set(token, claims);
      }
      if (clock.now() >= claims.expiresAtMs + graceMs) throw tokenExpired();
      return claims;
    },
  };
}
