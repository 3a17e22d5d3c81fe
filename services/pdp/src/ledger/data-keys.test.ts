import { randomFillSync } from "node:crypto";
import { expect, test } from "vitest";
import { wrappingKey } from "../foundation/key-wrap.ts";
import type { DataKeyStore, StoredDataKey } from "./data-key-store.ts";
import { createDataKeys } from "./data-keys.ts";

const random = (bytes: Uint8Array) => void randomFillSync(bytes);
const place = { tenant: "acme", id: "01890000-0000-7000-8000-000000000001", part: "body" } as const;

/** A store in memory that counts its reads. */
function memoryStore() {
  const rows = new Map<string, StoredDataKey>();
  const seen = { reads: 0, security: 0n };
  const dataKey: DataKeyStore["dataKey"] = async (tenant) => {
    seen.reads++;
    return { key: rows.get(tenant) ?? null, security: seen.security };
  };
  const addDataKey: DataKeyStore["addDataKey"] = async (key) => {
    if (!rows.has(key.tenant)) rows.set(key.tenant, key);
    return { key: rows.get(key.tenant) ?? null, security: seen.security };
  };
  return { rows, seen, store: { dataKey, addDataKey } };
}

let ids = 0;
const newId = () => `01890000-0000-7000-8000-${String(++ids).padStart(12, "0")}`;
const wrapping = { current: wrappingKey(Buffer.alloc(32, 1)) };

function open(memory: ReturnType<typeof memoryStore>, known = { security: 0n }) {
  return createDataKeys({ store: memory.store, wrapping, random, newId, security: () => known.security });
}

test("a tenant's key is made once, and two replicas that need it at once agree on it", async () => {
  const memory = memoryStore();
  const [one, two] = await Promise.all([open(memory).load("acme"), open(memory).load("acme")]);
  expect(one.sealer.keyId).toBe(two.sealer.keyId);
  expect(two.sealer.open(place, one.sealer.seal(place, Buffer.from("x"))).toString()).toBe("x");
  expect((await open(memory).load("other")).sealer.keyId).not.toBe(one.sealer.keyId);
});

test("many who need a key at once share one read, and later ones need none", async () => {
  const memory = memoryStore();
  const keys = open(memory);
  await Promise.all([keys.load("acme"), keys.load("acme"), keys.load("acme")]);
  expect(memory.seen.reads).toBe(1);
  expect(keys.held("acme")).toBeDefined();
  expect(keys.held("other")).toBeUndefined();
});

test("a security change makes a key be read again, and an erased tenant gets none, here or new", async () => {
  const memory = memoryStore();
  const known = { security: 0n };
  const keys = open(memory, known);
  const { sealer } = await keys.load("acme");
  known.security = 1n;
  expect(keys.held("acme")).toBeUndefined();
  memory.seen.security = 1n;
  expect((await keys.load("acme")).sealer).toBe(sealer);
  expect(keys.held("acme")).toBeDefined();

  const [row] = memory.rows.values();
  if (!row) throw new Error("no key was made");
  memory.rows.set("acme", { ...row, wrapped: null });
  known.security = 2n;
  memory.seen.security = 2n;
  expect(keys.held("acme")).toBeUndefined();
  await expect(keys.load("acme")).rejects.toMatchObject({ kind: "precondition", reason: "tenant_erased" });
});

test("a key that was moved to another tenant does not open there", async () => {
  const memory = memoryStore();
  await open(memory).load("acme");
  const [row] = memory.rows.values();
  if (!row) throw new Error("no key was made");
  memory.rows.set("thief", { ...row, tenant: "thief" });
  await expect(open(memory).load("thief")).rejects.toThrow();
});
