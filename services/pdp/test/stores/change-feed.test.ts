import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { createFeed, HINTS } from "../../src/stores/change-feed.ts";
import { openDirect } from "../../src/stores/database.ts";
import type { News } from "../../src/stores/news-query.ts";
import { insertTenant, newRecord, openLedger, TENANT } from "../ledger/postgres.ts";
import { pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const NEVER_MS = 1_000_000;

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(() => database.drop());

const direct = (url = database.runtimeUrl) => openDirect({ url, name: "feed", log: silentLog });
const asOwner = <Answer>(use: (client: Client) => Promise<Answer>) => withClient(database.superuserUrl, use);

/** A feed that has polled once, and what it heard. */
async function follow(intervalMs: number, connect: () => Promise<Client> = direct) {
  const heard: News[] = [];
  const hear = (news: News) => void heard.push(news);
  const feed = createFeed({ connect, intervalMs, hear, now: () => performance.now(), log: silentLog });
  await feed.start();
  return { heard, feed, [Symbol.asyncDispose]: feed.close };
}

const caller = randomUUID();
async function addSessions(client: Client, count: number): Promise<string[]> {
  await client.query("insert into caller (id, tenant, name, revision) values ($1, $2, 'opener', 0)", [caller, TENANT]);
  const { rows } = await client.query(
    `insert into session (id, tenant, agent, principal_id, principal_verified, opened_at, expires_at, opened_by)
     select gen_random_uuid(), $1, 'clerk', 'mia', true, now(), now() + interval '1 day', $2
       from generate_series(1, $3) returning id`,
    [TENANT, caller, count],
  );
  return rows.map(({ id }) => id);
}
const close = "update session set state = 'closed', closed_at = now() where id = $1";
const STATES = ["open", "closed", "revoked"] as const;
const toldOf = (heard: readonly News[]) =>
  heard.flatMap(({ changed }) =>
    STATES.flatMap((state) => [...(changed?.sessions[state] ?? [])].map((id) => ({ id, state }))),
  );

test("a poll whose connection swallows everything is given up, and the next connection is heard", async () => {
  const proxy = await pgProxy(database.runtimeUrl);
  let connected = 0;
  const connect = () => {
    connected++;
    return openDirect({ url: proxy.url, name: "feed", log: silentLog, statementTimeoutMs: 50 });
  };
  await using one = await follow(10, connect);
  proxy.hold("toClient");
  await eventually(() => connected > 1);
  const before = one.heard.length;
  proxy.resume("toClient");
  await eventually(() => one.heard.length > before);
  expect(connected).toBeGreaterThan(1);
  await one.feed.close();
  await proxy.close();
});

test("a change is told of once, however long its transaction was open over polls that could not see it", async () => {
  await using one = await follow(5);
  const [slow = "", quick = ""] = await asOwner((client) => addSessions(client, 2));
  await asOwner(async (client) => {
    await client.query("begin");
    await client.query(close, [slow]);
    await asOwner((other) => other.query(close, [quick]));
    await eventually(() => toldOf(one.heard).some(({ id }) => id === quick));
    const polls = one.heard.length;
    await eventually(() => one.heard.length > polls + 3);
    expect(toldOf(one.heard).map(({ id }) => id)).toEqual([quick]);
    await client.query("commit");
  });
  await eventually(() => toldOf(one.heard).length > 1);
  const polls = one.heard.length;
  await eventually(() => one.heard.length > polls + 3);
  expect(toldOf(one.heard)).toEqual([quick, slow].map((id) => ({ id, state: "closed" })));
});

test("what a poll tells is of one moment: a revision comes with every row that changed under it", async () => {
  await using one = await follow(1);
  const ids = await asOwner((client) => addSessions(client, 200));
  await asOwner(async (client) => {
    for (const id of ids) {
      await client.query("begin");
      await client.query(close, [id]);
      await client.query("update revision set security = security + 1 where tenant = $1", [TENANT]);
      await client.query("commit");
    }
  });
  await eventually(() => toldOf(one.heard).length === ids.length);
  let told = 0;
  for (const news of one.heard) {
    told += toldOf([news]).length;
    expect(BigInt(told)).toBe(news.revisions.get(TENANT)?.security);
  }
});

test("of very many tenants every poll tells the revisions, and where none has moved the same as before", async () => {
  const MANY = 2_000;
  await asOwner(async (client) => {
    await client.query("insert into tenant (id) select 'tenant-' || i from generate_series(1, $1) i", [MANY]);
    await client.query(
      `insert into revision (tenant, security, policy) select 'tenant-' || i, i, 9007199254740993 + i
         from generate_series(1, $1) i`,
      [MANY],
    );
  });
  await using one = await follow(5);
  const last = () => one.heard.at(-1)?.revisions;
  const first = last();
  expect(first?.size).toBe(MANY + 1);
  for (const at of [1, 77, MANY]) {
    expect(first?.get(`tenant-${at}`)).toEqual({ security: BigInt(at), policy: 9007199254740993n + BigInt(at) });
  }
  await eventually(() => one.heard.length > 3);
  expect(last()).toBe(first);
  await asOwner(async (client) => {
    await client.query("update revision set security = 5000 where tenant = 'tenant-77'");
    await client.query("delete from revision where tenant = 'tenant-78'");
    await client.query("insert into tenant (id) values ('another')");
    await client.query("insert into revision (tenant) values ('another')");
  });
  await eventually(() => last()?.has("another") === true);
  const expected = new Map(first);
  expected.set("tenant-77", { security: 5000n, policy: 9007199254741070n }).delete("tenant-78");
  expected.set("another", { security: 0n, policy: 0n });
  expect(last()).toEqual(expected);
  expect(first?.get("tenant-77")?.security).toBe(77n);
});

test("a caller that is revoked is told of, and so are the signing keys that live", async () => {
  await using one = await follow(5);
  expect(one.heard[0]?.changed).toBeUndefined();
  await asOwner(async (client) => {
    await addSessions(client, 0);
    await client.query("update caller set revoked = true where id = $1", [caller]);
    await client.query(
      "insert into signing_key (kid, public_jwk, wrapped_private, wrapped_by) values ('k', '{}', '', '')",
    );
  });
  await eventually(() => one.heard.some(({ changed }) => changed?.callers.has(caller)));
  await eventually(() => one.heard.at(-1)?.signers.includes("k") === true);
  expect(one.heard.at(-1)?.signers).toEqual(["k"]);
});

test("rows whose transactions were another Postgres's are not told of without end", async () => {
  const [id = ""] = await asOwner((client) => addSessions(client, 1));
  await asOwner(async (client) => {
    await client.query("alter table session disable trigger session_changed");
    await client.query("update session set changed = '999999999999' where id = $1", [id]);
  });
  await using one = await follow(2);
  await eventually(() => one.heard.length > 5);
  expect(toldOf(one.heard)).toEqual([]);
});

test("what was seen over a connection that broke is no measure of what changes after", async () => {
  const proxy = await pgProxy(database.runtimeUrl);
  await using one = await follow(5, () => direct(proxy.url));
  await eventually(() => one.heard.length > 3);
  expect(one.heard.slice(1).some(({ changed }) => changed === undefined)).toBe(false);
  proxy.cut();
  // From here on whoever keeps rows knows nothing of them, and reads them again.
  await eventually(() => one.heard.slice(1).some(({ changed }) => changed === undefined));
  const again = one.heard.findLastIndex(({ changed }) => changed === undefined);
  await eventually(() => one.heard.length > again + 1);
  expect(one.heard[again + 1]?.changed).toBeDefined();
  await one.feed.close();
  await proxy.close();
});

test("a hint makes the next poll come at once, and a thousand at one time only a few", async () => {
  await using one = await follow(NEVER_MS);
  await asOwner((client) => client.query(`notify ${HINTS}`));
  await eventually(() => one.heard.length > 1);
  await asOwner((client) => client.query(`select pg_notify('${HINTS}', one::text) from generate_series(1, 1000) one`));
  await eventually(() => one.heard.length > 2);
  const askedAtMs = performance.now();
  await asOwner((client) => client.query(`notify ${HINTS}`));
  await eventually(() => (one.heard.at(-1)?.sentAtMs ?? 0) > askedAtMs);
  expect(one.heard.length).toBeLessThan(50);
});

test("with every hint lost, the first poll that is sent after a change tells of it", async () => {
  // A connection that hears none: as through a pooler.
  const deaf = async () => {
    const client = await direct();
    const query = client.query.bind(client) as (text: unknown) => Promise<unknown>;
    const listens = (text: unknown) => typeof text === "string" && text.startsWith("listen");
    client.query = (async (text: unknown) => (listens(text) ? undefined : query(text))) as typeof client.query;
    return client;
  };
  await using one = await follow(20, deaf);
  await asOwner((client) =>
    client.query(
      `with moved as (update revision set policy = policy + 1 returning tenant) select pg_notify('${HINTS}', '') from moved`,
    ),
  );
  const changedAtMs = performance.now();
  await eventually(() => (one.heard.at(-1)?.sentAtMs ?? 0) > changedAtMs);
  const first = one.heard.find(({ sentAtMs }) => sentAtMs > changedAtMs);
  expect(first?.revisions.get(TENANT)?.policy).toBe(1n);
});

test("all who wait for news at one time share a poll that is sent after they asked", async () => {
  await using one = await follow(NEVER_MS);
  const askedAtMs = performance.now();
  await Promise.all(Array.from({ length: 500 }, () => one.feed.catchUp()));
  expect(one.heard.at(-1)?.sentAtMs).toBeGreaterThanOrEqual(askedAtMs);
  expect(one.heard.length).toBeLessThanOrEqual(3);
});

test("whoever waits for news of a Postgres that answers nothing goes on without", async () => {
  const proxy = await pgProxy(database.runtimeUrl);
  await using one = await follow(NEVER_MS, () => direct(proxy.url));
  proxy.hold("toClient");
  await one.feed.catchUp();
  expect(one.heard).toHaveLength(1);
  proxy.cut();
  await one.feed.close();
  await proxy.close();
});

test("commits of records hint at nothing", async () => {
  const { ledger, close: end } = await openLedger(database.runtimeUrl);
  await withClient(database.superuserUrl, async (client) => {
    const hints: unknown[] = [];
    client.on("notification", (hint) => hints.push(hint.payload));
    await client.query(`listen ${HINTS}`);
    await Promise.all(Array.from({ length: 200 }, () => ledger.record(newRecord())));
    // What was hinted at before this came before it.
    await client.query(`notify ${HINTS}, 'last'`);
    await eventually(() => hints.includes("last"));
    expect(hints).toEqual(["last"]);
  });
  await end();
});
