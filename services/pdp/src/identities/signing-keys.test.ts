import { randomFillSync } from "node:crypto";
import { expect, test } from "vitest";
import { wrappingKey } from "../foundation/key-wrap.ts";
import type { IdentityStore, StoredSigningKey } from "./identity-store.ts";
import { makeSigningKey, openSigningKeys, outlivedAtMs } from "./signing-keys.ts";

const random = (bytes: Uint8Array) => void randomFillSync(bytes);
const current = wrappingKey(Buffer.alloc(32, 1));
const other = wrappingKey(Buffer.alloc(32, 2));
const clock = { now: () => 0 };

/** A store of signing keys that counts how often they are read. */
function memoryStore() {
  const held = { keys: [] as StoredSigningKey[], reads: 0 };
  const store = {
    signingKeys: async () => {
      held.reads++;
      return [...held.keys].sort((a, b) => b.createdAtMs - a.createdAtMs);
    },
    addFirstSigningKey: async (key: StoredSigningKey) => {
      if (held.keys.length === 0) held.keys.push(key);
      return held.keys;
    },
  } as unknown as IdentityStore;
  return { held, store };
}

test("however many keys strangers make up at once, the store is read once for all of them, and no sooner than later", async () => {
  const { held, store } = memoryStore();
  const pauses: number[] = [];
  const pause = async (ms: number) => void pauses.push(ms);
  const keys = await openSigningKeys({ store, wrapping: { current }, random, clock, pause });
  held.reads = 0;
  const found = await Promise.all(Array.from({ length: 500 }, (_, at) => keys.find(`stranger-${at}`)));
  expect(new Set(found)).toEqual(new Set([undefined]));
  expect(held.reads).toBe(1);
  await keys.find("one more");
  expect(held.reads).toBe(2);
  expect(pauses[0]).toBe(0);
  expect(pauses[1]).toBeGreaterThan(0);
});

test("a key that was made while others looked for theirs is found by the next look", async () => {
  const { held, store } = memoryStore();
  const keys = await openSigningKeys({ store, wrapping: { current }, random, clock, pause: async () => {} });
  const made = await makeSigningKey({ current }, random, 5);
  const early = keys.find(made.kid);
  await early;
  held.keys.push(made);
  expect((await keys.find(made.kid))?.kid).toBe(made.kid);
  expect(keys.newest().kid).toBe(made.kid);
  expect(keys.jwks().keys.map(({ kid }) => kid)).toEqual([made.kid, held.keys[0]?.kid]);
});

test("a change that a poll saw is read once, and a key that was retired verifies nothing any more", async () => {
  const { held, store } = memoryStore();
  const keys = await openSigningKeys({ store, wrapping: { current }, random, clock });
  const first = keys.newest().kid;
  held.keys = [await makeSigningKey({ current }, random, 5)];
  held.reads = 0;
  await keys.heard(1n);
  await keys.heard(1n);
  expect(held.reads).toBe(1);
  expect(keys.held(first)).toBeUndefined();
});

test("a key that another wrapping key wraps verifies here, and an older one signs until it can be opened", async () => {
  const { held, store } = memoryStore();
  const keys = await openSigningKeys({ store, wrapping: { current }, random, clock });
  const first = keys.newest().kid;
  const made = await makeSigningKey({ current: other }, random, 5);
  held.keys.push(made);
  await keys.refresh();
  expect(keys.held(made.kid)?.publicKey.asymmetricKeyType).toBe("ed25519");
  expect(keys.newest().kid).toBe(first);
  const both = await openSigningKeys({ store, wrapping: { current, previous: other }, random, clock });
  expect(both.newest().kid).toBe(made.kid);
});

test("a key is outlived when the last token that it may have signed can report no more", () => {
  const [overlapMs, tokenMs, reportMs] = [3_600_000, 3_600_000, 86_400_000];
  expect(outlivedAtMs({ createdAtMs: 1_000 })).toBe(1_000 + overlapMs + tokenMs + reportMs);
});
