import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, type JWK } from "jose";
import type { Clock } from "../foundation/clock.ts";
import type { Random } from "../foundation/ids.ts";
import { unwrapBy, type WrappingKeys, wrap } from "../foundation/key-wrap.ts";
import { limits } from "../foundation/limits.ts";
import type { IdentityStore, StoredSigningKey } from "./identity-store.ts";

/** A key that signs tokens, or only verifies them: where this process does not hold the key that wraps its private half. */
export interface SigningKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject | undefined;
}

/** What a signing key's private half is wrapped for. */
export function signingKeyPurpose(kid: string): string {
  return `signing-key/${kid}`;
}

/** A new Ed25519 key. Its name is its thumbprint (RFC 7638): the same key has the same name everywhere. */
export async function makeSigningKey({ current }: WrappingKeys, random: Random, nowMs: number) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicJwk = publicKey.export({ format: "jwk" }) as Record<string, string>;
  const kid = await calculateJwkThumbprint(publicJwk as JWK);
  const secret = privateKey.export({ format: "der", type: "pkcs8" });
  const wrappedPrivate = wrap(current, signingKeyPurpose(kid), secret, random);
  return { kid, publicJwk, wrappedPrivate, wrappedBy: current.id, createdAtMs: nowMs } satisfies StoredSigningKey;
}

function openKey({ kid, publicJwk, wrappedPrivate, wrappedBy }: StoredSigningKey, wrapping: WrappingKeys): SigningKey {
  const secret = unwrapBy(wrapping, signingKeyPurpose(kid), { bytes: wrappedPrivate, by: wrappedBy });
  const privateKey = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
  return { kid, publicKey: publicHalf(publicJwk), privateKey };
}

function publicHalf(publicJwk: StoredSigningKey["publicJwk"]): KeyObject {
  return createPublicKey({ key: publicJwk as JWK, format: "jwk" });
}

/**
 * From when on no token of an older key is of use to anybody: one that a replica signed just before it heard of `newer`
 * has expired, and so has the time in which it may still report.
 */
export function outlivedAtMs(newer: Pick<StoredSigningKey, "createdAtMs">): number {
  const { signingKeyOverlapSeconds, tokenLifetimeSeconds, lateReportSeconds } = limits;
  return newer.createdAtMs + (signingKeyOverlapSeconds + tokenLifetimeSeconds + lateReportSeconds) * 1000;
}

/** The living signing keys in memory: the newest signs, all verify. */
export interface SigningKeys {
  /** The newest key that can sign here. */
  newest(): SigningKey & { readonly privateKey: KeyObject };
  held(kid: string): SigningKey | undefined;
  /** A key that may have been made elsewhere since: all who look for one share a read, and reads keep a distance. */
  find(kid: string): Promise<SigningKey | undefined>;
  /** What a poll saw: reads the keys again when they have changed. */
  heard(keysRevision: bigint): Promise<void>;
  refresh(): Promise<void>;
  /** The public halves, RFC 7517. */
  jwks(): { readonly keys: readonly Readonly<Record<string, string>>[] };
}

interface Options {
  readonly store: IdentityStore;
  readonly wrapping: WrappingKeys;
  readonly random: Random;
  readonly clock: Clock;
  readonly pause?: (ms: number) => Promise<void>;
}

/** Between two reads for keys that nobody here knows: whoever makes up names of keys costs no more than this. */
const FIND_EVERY_MS = 200;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Loads the living keys, making the first. Throws when one was wrapped by a key that is not given. */
export async function openSigningKeys({
  store,
  wrapping,
  random,
  clock,
  pause = sleep,
}: Options): Promise<SigningKeys> {
  let stored = await store.signingKeys();
  if (stored.length === 0) stored = await store.addFirstSigningKey(await makeSigningKey(wrapping, random, clock.now()));
  let keys = new Map(stored.map((key) => [key.kid, openKey(key, wrapping)]));
  let seen = 0n;
  let reads = Promise.resolve();
  let mayReadAtMs = 0;
  let waiting: Promise<void> | undefined;

  const reopen = (key: StoredSigningKey): SigningKey => {
    const known = keys.get(key.kid);
    if (known?.privateKey) return known;
    try {
      return openKey(key, wrapping);
    } catch {
      // Made by a replica that wraps with a key that was not given here yet. It can be verified with all the same.
      return { kid: key.kid, publicKey: publicHalf(key.publicJwk), privateKey: undefined };
    }
  };
  const read = async () => {
    stored = await store.signingKeys();
    keys = new Map(stored.map((key) => [key.kid, reopen(key)]));
  };
  // One after another: an older answer never takes the place of a newer one.
  const refresh = () => {
    reads = reads.catch(() => undefined).then(read);
    return reads;
  };
  const readSoon = async () => {
    await pause(Math.max(0, mayReadAtMs - performance.now()));
    // Whoever comes from here on waits for the next read: this one may be too early for its key.
    waiting = undefined;
    mayReadAtMs = performance.now() + FIND_EVERY_MS;
    await refresh();
  };

  return {
    newest() {
      for (const { kid } of stored) {
        const key = keys.get(kid);
        if (key?.privateKey) return { ...key, privateKey: key.privateKey };
      }
      throw new Error("no signing key can be opened with the key-encryption keys that were given");
    },
    held: (kid) => keys.get(kid),
    async find(kid) {
      if (keys.has(kid)) return keys.get(kid);
      waiting ??= readSoon();
      await waiting;
      return keys.get(kid);
    },
    async heard(keysRevision) {
      if (keysRevision === seen) return;
      await refresh();
      seen = keysRevision;
    },
    refresh,
    jwks: () => ({
      keys: stored.map(({ kid, publicJwk: { kty = "", crv = "", x = "" } }) => ({
        ...{ kty, crv, x, kid },
        ...{ alg: "EdDSA", use: "sig" },
      })),
    }),
  };
}
