import { randomUUID } from "node:crypto";
import type { ClientBase } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { openPool } from "../../src/stores/database.ts";
import { createLedgerStore } from "../../src/stores/ledger.ts";
import { createRecordedChanges, type RecordedChanges } from "../../src/stores/recorded-change.ts";
import { type PgProxy, pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, numbersWithoutGaps, readRows, TENANT } from "./postgres.ts";

let database: TestDatabase;
let proxy: PgProxy;
const closes: (() => Promise<void>)[] = [];

/** A replica's changes, and how it ends. */
async function openChanges(url = proxy.url): Promise<RecordedChanges> {
  const replica = randomUUID();
  const pool = openPool({ url: database.runtimeUrl, name: "remit-test-reads", log: silentLog });
  const store = createLedgerStore({ url: database.runtimeUrl, pool, log: silentLog, replica, host: "test" });
  await store.register();
  const changes = createRecordedChanges({ url, replica, log: silentLog });
  closes.push(async () => {
    await changes.close();
    await store.close();
    await pool.end();
  });
  return changes;
}

beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
  proxy = await pgProxy(database.runtimeUrl);
});
afterEach(async () => {
  await Promise.all(closes.splice(0).map((close) => close()));
  await proxy.close();
  await database.drop();
});

const putAgent = (name: string) => async (client: ClientBase, revision: bigint) => {
  const values = [TENANT, name, {}, "source", Buffer.alloc(32), revision];
  await client.query(
    `insert into agent (tenant, name, document, source, digest, revision) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, name) do update set revision = excluded.revision`,
    values,
  );
  return name;
};

const agents = () =>
  withClient(database.ownerUrl, async (client) => {
    const text = "select name, revision::int as revision from agent order by name";
    return (await client.query<{ name: string; revision: number }>(text)).rows;
  });
const revisions = () =>
  withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query("select security::int as security, policy::int as policy from revision");
    return rows[0];
  });

const aRecord = () => newRecord();
const security = { tenant: TENANT, bump: "security" } as const;

test("a change, its record and its revision are one commit, and its rows carry the revision", async () => {
  const changes = await openChanges();
  const record = newRecord({ kind: "admin" });
  const changed = await changes.run(security, () => record, putAgent("a"));
  expect(changed).toMatchObject({ value: "a", ref: { n: 1n }, revision: { security: 1n, policy: 0n } });
  const policy = await changes.run({ tenant: TENANT, bump: "policy" }, () => newRecord(), putAgent("b"));
  expect(policy).toMatchObject({ ref: { n: 2n }, revision: { security: 1n, policy: 1n } });
  const none = await changes.run({ tenant: TENANT, bump: "none" }, () => newRecord(), putAgent("c"));
  expect(none).toMatchObject({ ref: { n: 3n }, revision: { security: 1n, policy: 1n } });
  expect(await revisions()).toEqual({ security: 1, policy: 1 });
  expect(await agents()).toEqual([
    { name: "a", revision: 1 },
    { name: "b", revision: 1 },
    { name: "c", revision: 1 },
  ]);
  const rows = await readRows(database);
  expect(rows.map(({ id }) => id)[0]).toBe(record.id);
  expect(numbersWithoutGaps(rows)).toBe(true);
});

test("the record is built under the revision after the change", async () => {
  const changes = await openChanges();
  const seen: unknown[] = [];
  const record = (revision: unknown) => {
    seen.push(revision);
    return newRecord();
  };
  await changes.run(security, record, putAgent("a"));
  expect(seen).toEqual([{ security: 1n, policy: 0n }]);
});

test("what a change throws comes out as it is, and leaves neither change nor record nor gap", async () => {
  const changes = await openChanges();
  const refusal = new Error("not today");
  const failing = changes.run(security, aRecord, async (client, revision) => {
    await putAgent("a")(client, revision);
    throw refusal;
  });
  await expect(failing).rejects.toBe(refusal);
  const twice = changes.run(security, aRecord, (client) => client.query("insert into tenant values ($1)", [TENANT]));
  await expect(twice).rejects.toMatchObject({ code: "23505", table: "tenant" });
  expect(await readRows(database)).toEqual([]);
  expect(await revisions()).toEqual({ security: 0, policy: 0 });
  expect(await changes.run(security, aRecord, putAgent("a"))).toMatchObject({ ref: { n: 1n } });
});

test("a change that expects another policy revision is refused", async () => {
  const changes = await openChanges();
  const scope = { tenant: TENANT, bump: "policy", expected: { security: 0n, policy: 0n } } as const;
  await changes.run(scope, aRecord, putAgent("a"));
  const late = changes.run(scope, aRecord, putAgent("b"));
  await expect(late).rejects.toMatchObject({ kind: "aborted", reason: "revision_conflict" });
  expect(await agents()).toEqual([{ name: "a", revision: 1 }]);
});

test("a record whose key was recorded before undoes its change", async () => {
  const changes = await openChanges();
  const record = newRecord();
  await changes.run(security, () => record, putAgent("a"));
  const again = changes.run(security, () => newRecord({ key: record.key }), putAgent("b"));
  await expect(again).rejects.toMatchObject({ kind: "conflict", reason: "already_recorded" });
  expect(await agents()).toHaveLength(1);
});

test("changes of two replicas each carry a revision of their own", async () => {
  const [one, two] = [await openChanges(), await openChanges()];
  const names = Array.from({ length: 60 }, (_, at) => `agent-${String(at).padStart(2, "0")}`);
  const made: Awaited<ReturnType<typeof one.run>>[] = [];
  // Few wait at each replica, so that none waits too long for its turn on a busy machine.
  for (let from = 0; from < names.length; from += 10) {
    const asked = names.slice(from, from + 10);
    const runs = asked.map((name, at) => (at % 2 === 0 ? one : two).run(security, aRecord, putAgent(name)));
    made.push(...(await Promise.all(runs)));
  }
  const carried = (await agents()).map(({ revision }) => revision).sort((a, b) => a - b);
  expect(carried).toEqual(names.map((_, at) => at + 1));
  expect(made.map(({ revision }) => Number(revision.security)).sort((a, b) => a - b)).toEqual(carried);
  expect(numbersWithoutGaps(await readRows(database))).toBe(true);
});

test("a change whose acknowledgement is lost after its commit was made, once", async () => {
  const changes = await openChanges();
  await changes.run(security, aRecord, putAgent("a"));
  const record = newRecord();
  let cutAfterCommit: Promise<void> | undefined;
  const change = changes.run(
    security,
    () => record,
    async (client, revision) => {
      const put = await putAgent("b")(client, revision);
      cutAfterCommit = eventually(async () => (await agents()).length === 2).then(() => {
        proxy.cut();
        proxy.resume("toClient");
      });
      holdWhenCommitting(client);
      return put;
    },
  );
  expect(await change).toMatchObject({ value: "b", ref: { n: 2n }, revision: { security: 2n } });
  await cutAfterCommit;
  expect((await readRows(database)).filter(({ id }) => id === record.id)).toHaveLength(1);
  expect(await changes.run(security, aRecord, putAgent("c"))).toMatchObject({ ref: { n: 1n } });
});

/** Holds every answer back from the commit on. */
function holdWhenCommitting(client: ClientBase): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  client.query = ((...given: unknown[]) => {
    if (given[0] === "commit") proxy.hold("toClient");
    return query(...given);
  }) as ClientBase["query"];
}

test("a change whose connection breaks before its commit is not made, and the next one is", async () => {
  const changes = await openChanges();
  const broken = changes.run(security, aRecord, async (client, revision) => {
    await putAgent("a")(client, revision);
    proxy.cut();
    return client.query("select 1");
  });
  await expect(broken).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
  expect(await agents()).toEqual([]);
  expect(await changes.run(security, aRecord, putAgent("a"))).toMatchObject({ value: "a", ref: { n: 1n } });
});

test("a change whose commit may have arrived and cannot be looked up is told to be unknown", async () => {
  const changes = await openChanges();
  const change = changes.run(security, aRecord, async (client, revision) => {
    const put = await putAgent("a")(client, revision);
    holdWhenCommitting(client);
    void proxy
      .until(() => proxy.held("toClient") > 0)
      .then(() => {
        proxy.refuse(true);
        proxy.cut();
      });
    return put;
  });
  await expect(change).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "unknown" });
  proxy.refuse(false);
  proxy.resume("toClient");
  expect(await agents()).toHaveLength(1);
  expect(await changes.run(security, aRecord, putAgent("b"))).toMatchObject({ value: "b" });
});

test("a replica that was declared dead changes nothing", async () => {
  const changes = await openChanges();
  await changes.run(security, aRecord, putAgent("a"));
  await withClient(database.ownerUrl, async (client) => {
    await client.query("update replica set alive = false");
    await client.query("update writer set alive = false");
  });
  for (const name of ["b", "c"]) {
    const refused = changes.run(security, aRecord, putAgent(name));
    await expect(refused).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
  }
  expect(await agents()).toHaveLength(1);
});

test("while the store is away changes are refused, and they resume by themselves", async () => {
  const changes = await openChanges();
  await changes.run(security, aRecord, putAgent("a"));
  proxy.refuse(true);
  proxy.cut();
  const refused = changes.run(security, aRecord, putAgent("b"));
  await expect(refused).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
  proxy.refuse(false);
  expect(await changes.run(security, aRecord, putAgent("c"))).toMatchObject({ value: "c" });
});

test("a change that two others overtake before its record is written is made again, and not taken for a double", async () => {
  const [slow, fast] = [await openChanges(), await openChanges()];
  let times = 0;
  const made = await slow.run(security, aRecord, async (client, revision) => {
    times++;
    if (times === 1) {
      await fast.run(security, aRecord, putAgent("b"));
      await fast.run(security, aRecord, putAgent("c"));
    }
    return putAgent("a")(client, revision);
  });
  expect(times).toBe(2);
  expect(made.revision.security).toBe(3n);
  expect((await agents()).map(({ name }) => name)).toEqual(["a", "b", "c"]);
});
