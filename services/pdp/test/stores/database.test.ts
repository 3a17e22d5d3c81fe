import type { ClientBase } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Log, silentLog } from "../../src/foundation/log.ts";
import { inTransaction, openDirect, openPool, reconnectDelayMs, withTransaction } from "../../src/stores/database.ts";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
let proxy: PgProxy | undefined;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  await database.drop();
});

const pool = (url = database.runtimeUrl, log: Log = silentLog) => openPool({ url, name: "test", log });

test("a direct connection has its settings from the first statement on", async () => {
  const url = new URL(database.runtimeUrl);
  url.searchParams.set("options", "-c extra_float_digits=2");
  const client = await openDirect({
    url: url.toString(),
    name: "remit-writer",
    log: silentLog,
    statementTimeoutMs: 1_234,
  });
  const { rows } = await client.query(`select current_setting('statement_timeout') as statement,
    current_setting('transaction_timeout') as transaction, current_setting('idle_in_transaction_session_timeout') as idle,
    current_setting('plan_cache_mode') as plan, current_setting('extra_float_digits') as own,
    current_setting('application_name') as name`);
  await client.end();
  expect(rows).toEqual([
    { statement: "1234ms", transaction: "6s", idle: "2s", plan: "force_generic_plan", own: "2", name: "remit-writer" },
  ]);
});

test("over TCP the server gives up on a peer that does not acknowledge within two seconds", async () => {
  // The proxy's far side is a Unix socket, which has no such setting; what we ask for is what the server is told.
  const client = await openDirect({ url: database.runtimeUrl, name: "test", log: silentLog });
  const { rows } = await client.query("select reset_val, source from pg_settings where name = 'tcp_user_timeout'");
  await client.end();
  expect(rows).toEqual([{ reset_val: "2000", source: "client" }]);
});

test("a verification that nobody answers refuses a connection whose owner watches its queries", async () => {
  proxy = await pgProxy(database.runtimeUrl);
  const { url, hold } = proxy;
  const options = { url, name: "test", log: silentLog, statementTimeoutMs: 100, watched: true };
  const verify = async (client: ClientBase) => {
    hold("toClient");
    await client.query("select 1");
  };
  await expect(openDirect({ ...options, verify })).rejects.toThrow("Connection terminated");
});

test("a verification that fails refuses the connection, on both kinds", async () => {
  const verify = () => Promise.reject(new Error("not this one"));
  await expect(openDirect({ url: database.runtimeUrl, name: "test", log: silentLog, verify })).rejects.toThrow(
    "not this one",
  );
  const refused = openPool({ url: database.runtimeUrl, name: "test", log: silentLog, verify });
  await expect(refused.query("select 1")).rejects.toThrow("not this one");
  await refused.end();
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    ),
  );
  expect(rows).toEqual([{ n: 0 }]);
});

test("idle connections that break are logged and replaced", async () => {
  const warnings: string[] = [];
  const connections = pool(database.runtimeUrl, { ...silentLog, warn: (_, message) => void warnings.push(message) });
  await connections.query("select 1");
  await withClient(database.superuserUrl, (client) =>
    client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test' and datname = current_database()",
    ),
  );
  await eventually(() => warnings.length > 0);
  expect(warnings).toEqual(["an idle connection to Postgres broke"]);
  expect((await connections.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await connections.end();
});

test("a pool fails while Postgres is away and works again by itself", async () => {
  proxy = await pgProxy(database.runtimeUrl);
  const connections = pool(proxy.url);
  await connections.query("select 1");
  proxy.refuse(true);
  proxy.cut();
  await expect(connections.query("select 1")).rejects.toThrow();
  proxy.refuse(false);
  expect((await connections.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await connections.end();
});

test("who finds all connections lent out waits in line, and is told where none is free in time", async () => {
  const connections = openPool({ url: database.runtimeUrl, name: "test", log: silentLog, connectionsMax: 1 });
  const lent = await connections.connect();
  const done: number[] = [];
  const one = async (at: number) => {
    const { rows } = await connections.query("select $1::int as at", [at]);
    done.push(rows[0].at);
  };
  const inTurn = [one(0), withTransaction(connections, "read committed", async () => void done.push(1)), one(2)];
  lent.release();
  await Promise.all(inTurn);
  expect(done).toEqual([0, 1, 2]);
  const again = await connections.connect();
  const late = [one(3), connections.connect(), one(4)];
  for (const result of await Promise.allSettled(late)) {
    expect(result).toMatchObject({ status: "rejected", reason: { message: "no connection was free in time" } });
  }
  // One that is broken is replaced for whoever is next.
  again.release(true);
  await Promise.all([one(5), one(6)]);
  expect(done).toEqual([0, 1, 2, 5, 6]);
  await connections.end();
  await expect(one(7)).rejects.toThrow("after calling end");
});

test("a transaction has the isolation that it names, commits, and rolls back on a throw", async () => {
  const connections = pool();
  const isolation = await withTransaction(connections, "repeatable read read only", async (client) => {
    const { rows } = await client.query(
      "select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as ro",
    );
    return rows[0];
  });
  expect(isolation).toEqual({ level: "repeatable read", ro: "on" });
  await withTransaction(connections, "read committed", (client) =>
    client.query("insert into tenant (id) values ('stays')"),
  );
  const thrown = withTransaction(connections, "read committed", async (client) => {
    await client.query("insert into tenant (id) values ('goes')");
    throw new Error("changed my mind");
  });
  await expect(thrown).rejects.toThrow("changed my mind");
  const client = await connections.connect();
  await expect(inTransaction(client, "serializable", () => client.query("select nonsense"))).rejects.toMatchObject({
    code: "42703",
  });
  expect((await client.query("select id from tenant")).rows).toEqual([{ id: "stays" }]);
  client.release();
  await connections.end();
});

test("the pause before connecting again doubles from 25 ms to a second, half of it random", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 99].map((failures) => reconnectDelayMs(failures, 0))).toEqual([
    13, 25, 50, 100, 200, 400, 500, 500,
  ]);
  expect(reconnectDelayMs(0, 0.999)).toBe(25);
  expect(reconnectDelayMs(99, 0.999)).toBe(1_000);
});

test("a connection that breaks between two statements of a transaction fails that transaction and nothing else", async () => {
  proxy = await pgProxy(database.runtimeUrl);
  const throughProxy = pool(proxy.url);
  const uncaught: unknown[] = [];
  const hear = (error: unknown) => uncaught.push(error);
  process.on("uncaughtException", hear);
  const broken = withTransaction(throughProxy, "read committed", async (client) => {
    await client.query("select 1");
    const ended = new Promise((resolve) => client.once("end", resolve));
    proxy?.cut();
    await ended;
    await client.query("select 2");
  });
  await expect(broken).rejects.toThrow();
  await expect(throughProxy.query("select 3 as three")).resolves.toMatchObject({ rows: [{ three: 3 }] });
  process.off("uncaughtException", hear);
  expect(uncaught).toEqual([]);
  await throughProxy.end();
});
