import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
let proxy: PgProxy;
let client: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await pgProxy(database.runtimeUrl);
  client = new pg.Client({ connectionString: proxy.url });
  client.on("error", () => {});
  await client.connect();
});
afterEach(async () => {
  await client.end().catch(() => {});
  await proxy.close();
  await database.drop();
});

const tenants = async (): Promise<unknown> =>
  (await withClient(database.ownerUrl, (direct) => direct.query("select id from tenant"))).rows;

test("holding back the answer keeps it from a client whose statement has been committed", async () => {
  proxy.hold("toClient");
  let answered = false;
  const insert = client.query("insert into tenant (id) values ('t')").then(() => {
    answered = true;
  });
  await proxy.until(() => proxy.held("toClient") > 0);
  expect(await tenants()).toEqual([{ id: "t" }]);
  expect(answered).toBe(false);
  proxy.resume("toClient");
  await insert;
  expect(proxy.held("toClient")).toBe(0);
});

test("holding back what one connection by its name hears leaves the others alone", async () => {
  const named = new URL(proxy.url);
  named.searchParams.set("application_name", "deaf-one");
  const deaf = await withClient(named.href, async (other) => {
    await other.query("select 1");
    proxy.hold("toClient", "deaf-one");
    const asked = other.query("select 2 as two");
    await proxy.until(() => proxy.held("toClient") > 0);
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    proxy.resume("toClient");
    return (await asked).rows;
  });
  expect(deaf).toEqual([{ two: 2 }]);
});

test("holding back the question keeps it from Postgres", async () => {
  proxy.hold("toServer");
  const insert = client.query("insert into tenant (id) values ('t')");
  await proxy.until(() => proxy.held("toServer") > 0);
  expect(await tenants()).toEqual([]);
  proxy.resume("toServer");
  await insert;
  expect(await tenants()).toEqual([{ id: "t" }]);
});

test("cutting the client alone lets its backend live on and commit", async () => {
  const asked = proxy.passed("toServer");
  const insert = client.query(
    "with slow as materialized (select pg_sleep(0.2)) insert into tenant select 't' from slow",
  );
  await proxy.until(() => proxy.passed("toServer") > asked);
  proxy.cut("client");
  await expect(insert).rejects.toThrow();
  await eventually(async () => ((await tenants()) as unknown[]).length === 1);
});

test("cutting both sides and refusing makes Postgres be away until it is let back", async () => {
  proxy.refuse(true);
  proxy.cut();
  await expect(client.query("select 1")).rejects.toThrow();
  await expect(withClient(proxy.url, (other) => other.query("select 1"))).rejects.toThrow();
  proxy.refuse(false);
  expect((await withClient(proxy.url, (other) => other.query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
  await proxy.until(() => proxy.connections() === 0);
});
