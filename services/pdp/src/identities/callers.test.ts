import { expect, test } from "vitest";
import { type Caller, keyHash, newKey } from "./caller.ts";
import { createCallers } from "./callers.ts";
import type { Loaded } from "./identity-store.ts";
import { createKeeping } from "./keeping.ts";

const keyOf = (number: number) => newKey((bytes) => new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, number));
const bearer = (number: number) => `Bearer ${keyOf(number)}`;

function caller(id: string): Loaded<Caller> {
  const rights = { roles: [], agents: [], mayAssertPrincipals: false, revoked: false, createdAtMs: 0 };
  return { row: { id, tenant: "t", name: id, ...rights }, security: 0n };
}

/** Callers 0 to 4 exist; the store counts what it is asked. */
function setUp() {
  const time = { ms: 0 };
  const stored = new Map(Array.from({ length: 5 }, (_, at) => [keyHash(keyOf(at)).toString("hex"), caller(`c${at}`)]));
  const asked = { times: 0 };
  const store = {
    callerByKeyHash: async (hash: Uint8Array) => {
      asked.times++;
      return stored.get(Buffer.from(hash).toString("hex")) ?? null;
    },
  };
  const keeping = createKeeping({ security: () => 0n, catchUp: async () => {} });
  const callers = createCallers({ store, keeping, clock: { now: () => time.ms } });
  const find = async (...by: Parameters<typeof callers.find>) => callers.find(...by);
  return { find, asked, time, stored };
}

test("a key that is nobody's is looked up once", async () => {
  const { find, asked } = setUp();
  for (let at = 0; at < 20; at++) {
    await expect(find(bearer(99), at % 2 === 0)).rejects.toMatchObject({ reason: "token_invalid" });
  }
  expect(asked.times).toBe(1);
});

test("a key that was nobody's may be somebody's soon after", async () => {
  const { find, stored, time } = setUp();
  await expect(find(bearer(99), false)).rejects.toMatchObject({ reason: "token_invalid" });
  stored.set(keyHash(keyOf(99)).toString("hex"), caller("late"));
  await expect(find(bearer(99), false)).rejects.toMatchObject({ reason: "token_invalid" });
  time.ms += 5_000;
  expect((await find(bearer(99), false)).row.id).toBe("late");
});

test("strangers that try one key after the other look up only so many, and those who are known do not notice", async () => {
  const { find, asked, time } = setUp();
  await find(bearer(1), false);
  let told = 0;
  for (let at = 100; at < 1_400; at++) {
    await find(bearer(at), false).catch((error) => {
      if (error.kind === "exhausted") told++;
    });
  }
  expect(asked.times).toBe(1_001);
  expect(told).toBe(300);
  expect((await find(bearer(1), true)).row.id).toBe("c1");
  expect((await find(bearer(1), false)).row.id).toBe("c1");
  await expect(find(bearer(2), false)).rejects.toMatchObject({ reason: "overloaded", retryable: true });
  time.ms += 1_000;
  expect((await find(bearer(2), false)).row.id).toBe("c2");
});

test("those who exist are never too many: what is found counts against nobody", async () => {
  const { find } = setUp();
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 5; at++) expect((await find(bearer(at), true)).row.id).toBe(`c${at}`);
  }
});

test("many calls with a key that is new here share one look-up", async () => {
  const { find, asked } = setUp();
  const found = await Promise.all(Array.from({ length: 2_000 }, () => find(bearer(3), false)));
  expect(new Set(found.map(({ row }) => row.id))).toEqual(new Set(["c3"]));
  expect(asked.times).toBe(1);
});

test("a look-up that fails is made again by the next who asks", async () => {
  const { find, stored } = setUp();
  const kept = new Map(stored);
  stored.get = () => {
    throw new Error("the store is away");
  };
  await expect(find(bearer(4), false)).rejects.toThrow("the store is away");
  stored.get = (name) => kept.get(name);
  expect((await find(bearer(4), false)).row.id).toBe("c4");
});
