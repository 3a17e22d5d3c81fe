import { Effect } from "@remit/proto/common";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse("2026-03-01T09:00:00Z");

let database: TestDatabase;
let clock: ReturnType<typeof settableClock>;
let config: ReturnType<typeof testConfig>;
let house: House;

beforeEach(async () => {
  database = await createTestDatabase();
  clock = settableClock(START_MS);
  config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config, clock });
  await furnish(house);
});

afterEach(async () => {
  await house.close();
  await database.drop();
});

const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
const another = (changes: Partial<typeof config> = {}) =>
  startHouse({ database, config: { ...config, ...changes }, clock, ownerKey: house.ownerKey });

let calls = 0;
const read = (at: House, headers: Record<string, string>) =>
  at.clients.decisions.decide(
    {
      callId: `call-${++calls}`,
      tool: "invoices.read",
      input: { case: "inputObject", value: {} },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

const states = async () => {
  const { keys } = await house.clients.keys.listSigningKeys({}, owner());
  return keys.map(({ state }) => state);
};
const jwks = async (at: House) =>
  (await (await fetch(`http://${at.pdp.httpAddress}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
const rotate = (retireNow = false) => house.clients.keys.rotateSigningKey({ retireNow }, owner());

test("a rotation makes the key that signs; both verify at every replica; the older one goes once it is of no use", async () => {
  await using other = await another();
  const before = await openSession(house);
  const { kid } = await rotate();
  expect(await states()).toEqual(["signing", "verifying"]);
  const after = await openSession(house);
  for (const headers of [before.headers, after.headers]) {
    // At once, however long ago the other replica has looked.
    expect((await read(other, headers)).effect).toBe(Effect.ALLOW);
  }
  await eventually(async () => (await jwks(other)).keys[0]?.kid === kid);
  expect(await failure(rotate())).toMatchObject({
    code: "FailedPrecondition",
    detail: { reason: "rotation_too_soon", limit: expect.stringContaining("2026-03-02T11:00:00") },
  });
  clock.set(START_MS + 27 * HOUR_MS);
  const { retired } = await rotate();
  expect(retired).toHaveLength(1);
  expect(await states()).toEqual(["signing", "verifying", "retired"]);
});

test("the public halves are published to anybody and verify a session's token", async () => {
  await rotate();
  const { token, session } = await openSession(house);
  const published = await jwks(house);
  expect(published.keys).toHaveLength(2);
  expect(JSON.stringify(published)).not.toContain('"d"');
  const { payload } = await jwtVerify(token, createLocalJWKSet(published), { currentDate: new Date(START_MS) });
  expect(payload).toMatchObject({ sid: session.id });
  const other = await fetch(`http://${house.pdp.httpAddress}/.well-known/other`);
  expect(other.status).toBe(404);
});

test("after a leak the older keys stop at once, at replicas that have not heard of it too", async () => {
  await using deaf = await another({ pollMs: 1000 });
  const { headers, session } = await openSession(house);
  expect((await read(deaf, headers)).effect).toBe(Effect.ALLOW);
  // One that cannot hear for as long as this test looks.
  await using mute = await another({ pollMs: 5_000 });
  expect((await read(mute, headers)).effect).toBe(Effect.ALLOW);
  const { retired } = await rotate(true);
  expect(retired).toHaveLength(1);
  for (const at of [mute, deaf, house]) {
    expect(await failure(read(at, headers))).toMatchObject({
      code: "Unauthenticated",
      detail: { reason: "token_invalid" },
    });
  }
  const renewed = await house.clients.sessions.renewSession({ sessionId: session.id }, owner());
  const again = { ...headers, "remit-session": renewed.token };
  expect((await read(mute, again)).effect).toBe(Effect.ALLOW);
  const rows = await withClient(database.superuserUrl, (client) =>
    client.query("select octet_length(wrapped_private) as bytes from signing_key where retired_at is not null"),
  );
  expect(rows.rows).toEqual([{ bytes: 0 }]);
});

test("two rotations at one time make one key; every rotation is an entry that tells no key", async () => {
  await using other = await another();
  const both = await Promise.allSettled([
    rotate(),
    other.clients.keys.rotateSigningKey({}, { headers: { authorization: `Bearer ${house.ownerKey}` } }),
  ]);
  const made = both.filter(({ status }) => status === "fulfilled").length;
  expect(made).toBe(1);
  expect(await states()).toEqual(["signing", "verifying"]);
  const entries = (await plainBodies(house, "kind = 'admin'")).map((text) => JSON.parse(text));
  const rotations = entries.filter(({ change }) => change === "signing_key_rotated");
  expect(rotations).toMatchObject([{ caller: { name: "owner" }, what: { retired: [], at_once: false } }]);
  expect(JSON.stringify(rotations)).not.toContain("wrapped");
});

test("a key that is of age is rotated by the service itself, and the older one retired when it is of no use", async () => {
  clock.set(START_MS + 89 * DAY_MS);
  await (await another()).close();
  expect(await states()).toEqual(["signing"]);
  clock.set(START_MS + 90 * DAY_MS);
  await (await another({ signingKeyDays: 0 })).close();
  expect(await states()).toEqual(["signing"]);
  await (await another()).close();
  expect(await states()).toEqual(["signing", "verifying"]);
  clock.set(START_MS + 92 * DAY_MS);
  await (await another()).close();
  expect(await states()).toEqual(["signing", "retired"]);
});

test("keys pass under another key-encryption key while the service runs, and the old one is needed no more", async () => {
  const { headers } = await openSession(house);
  const { decisionId } = await read(house, headers);
  const next = testConfig(database.runtimeUrl).keyEncryptionKey;
  const old = config.keyEncryptionKey;
  expect(await house.clients.keys.rewrapKeys({}, owner())).toMatchObject({ signingKeys: 0, dataKeys: 0, more: false });
  await expect(another({ keyEncryptionKey: next })).rejects.toMatchObject({ reason: "key_encryption_key_unknown" });

  await using both = await another({ keyEncryptionKey: next, previousKeyEncryptionKey: old });
  expect((await read(both, headers)).effect).toBe(Effect.ALLOW);
  const rewrapped = await both.clients.keys.rewrapKeys({}, owner());
  expect(rewrapped).toMatchObject({ signingKeys: 1, dataKeys: 1, more: false });
  expect(await both.clients.keys.rewrapKeys({}, owner())).toMatchObject({ signingKeys: 0, dataKeys: 0 });

  await using alone = await another({ keyEncryptionKey: next });
  expect((await read(alone, headers)).effect).toBe(Effect.ALLOW);
  const { decision } = await alone.clients.ledger.getDecision({ decisionId }, owner());
  expect(decision?.canonical).toContain(decisionId);
  await expect(another()).rejects.toMatchObject({ reason: "key_encryption_key_unknown" });
});

test("only a cell operator may do any of it", async () => {
  const made = await house.clients.callers.createKey({ name: "tenant-owner", roles: ["owner"] }, owner());
  const by = { headers: { authorization: `Bearer ${made.key}` } };
  const { keys } = house.clients;
  const tried = [
    keys.listSigningKeys({}, by),
    keys.rotateSigningKey({}, by),
    keys.rewrapKeys({}, by),
    keys.enableSealing({}, by),
    keys.eraseTenant({ tenant: "acme", confirm: "acme" }, by),
  ];
  for (const one of await Promise.all(tried.map(failure))) {
    expect(one).toMatchObject({ code: "PermissionDenied", detail: { reason: "role_missing" } });
  }
});
