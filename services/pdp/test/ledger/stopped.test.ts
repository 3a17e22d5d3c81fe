import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { pgProxy } from "../support/pg-proxy.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, openLedger, readRows } from "./postgres.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(() => database.drop());

const asOwner = (sql: string, values: unknown[] = []) =>
  withClient(database.ownerUrl, async (client) => void (await client.query(sql, values)));

test("a writer that was shut out records nothing, and another takes its place", async () => {
  const { ledger, close } = await openLedger(database.runtimeUrl, { writers: 1 });
  const [before] = ledger.state().epochs;
  await asOwner("update writer set alive = false");
  const batch = Array.from({ length: 20 }, () => ledger.record(newRecord()));
  for (const outcome of batch) {
    await expect(outcome).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "no" });
  }
  expect(await readRows(database)).toEqual([]);
  expect(await ledger.record(newRecord())).toMatchObject({ outcome: "inserted", ref: { n: 1n } });
  expect(ledger.state().epochs).not.toContain(before);
  await close();
});

test("a replica that was declared dead stops for ever", async () => {
  const { ledger, replica, close } = await openLedger(database.runtimeUrl);
  await asOwner("update replica set alive = false where id = $1", [replica]);
  await asOwner("update writer set alive = false where replica = $1", [replica]);
  await expect(ledger.record(newRecord())).rejects.toMatchObject({ recorded: "no" });
  await eventually(() => ledger.state().stopped === "fenced");
  expect(ledger.state()).toMatchObject({ serving: false });
  await expect(ledger.record(newRecord())).rejects.toMatchObject({ recorded: "no" });
  expect(await readRows(database)).toEqual([]);
  await close();
});

test("a number that another process gave to this writer stops the line, and declares the replica dead", async () => {
  const { ledger, replica, close } = await openLedger(database.runtimeUrl, { writers: 1 });
  const [epoch] = ledger.state().epochs;
  await ledger.record(newRecord());
  // What a copy of this process would do.
  await asOwner(
    `insert into record (day, writer, n, ord, id, tenant, session, kind, digest, body)
     select day, writer, 2, ord, gen_random_uuid(), tenant, session, kind, digest, body from record`,
  );
  await expect(ledger.record(newRecord())).rejects.toMatchObject({ reason: "ledger_unavailable", recorded: "unknown" });
  expect(ledger.state()).toMatchObject({ stopped: "broken", serving: false });
  const alive = async () =>
    withClient(database.ownerUrl, async (client) => {
      const text = "select alive from replica where id = $1";
      return (await client.query<{ alive: boolean }>(text, [replica])).rows[0]?.alive;
    });
  await eventually(async () => (await alive()) === false);
  expect((await readRows(database)).map(({ writer, n }) => `${writer}/${n}`)).toEqual([`${epoch}/1`, `${epoch}/2`]);
  await close();
});

test("a Postgres that goes quiet without a word is given up, and what is asked meanwhile is told so", async () => {
  const proxy = await pgProxy(database.runtimeUrl);
  const { ledger, close } = await openLedger(proxy.url, { readUrl: database.runtimeUrl });
  proxy.hold("toServer");
  const refused = ledger.record(newRecord(), { withinMs: 100 });
  await expect(refused).rejects.toMatchObject({
    kind: "unavailable",
    reason: "ledger_unavailable",
    recorded: "unknown",
  });
  proxy.cut();
  proxy.resume("toServer");
  await eventually(() => ledger.state().writersAlive === 2);
  expect((await ledger.record(newRecord())).outcome).toBe("inserted");
  await close();
  await proxy.close();
});

test("while Postgres is stopped nothing is recorded or answered, and service resumes by itself", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "remit-ledger-"));
  const link = join(dataDir, "socket");
  const start = async () => {
    const postgres = await startEmbedded({ dataDir: join(dataDir, "pg"), durable: false });
    await rm(link, { force: true });
    await symlink(postgres.socketDir, link);
    return postgres;
  };
  const at = (role: string) => `postgresql://${role}@localhost:5432/remit?host=${encodeURIComponent(link)}`;
  const first = await start();
  await migrate({ url: first.ownerUrl });
  await insertTenant({ ...database, ownerUrl: at("remit_owner") });
  const { ledger, close } = await openLedger(at("remit_service"));
  expect((await ledger.record(newRecord())).outcome).toBe("inserted");

  await first.stop();
  await eventually(() => !ledger.state().serving);
  const away = [newRecord(), newRecord()];
  for (const record of away) {
    await expect(ledger.record(record, { withinMs: 100 })).rejects.toMatchObject({
      reason: "ledger_unavailable",
      recorded: "no",
    });
  }
  await expect(ledger.findById("acme", away[0]?.id ?? "")).rejects.toMatchObject({ reason: "ledger_unavailable" });

  const second = await start();
  await eventually(() => ledger.state().serving);
  expect((await ledger.record(newRecord())).outcome).toBe("inserted");
  expect(await ledger.findById("acme", away[0]?.id ?? "")).toBeNull();
  await close();
  await second.stop();
  await rm(dataDir, { recursive: true });
});

test("an acknowledgement that comes with a warning, its commit on no standby, is no acknowledgement", async () => {
  const postgres = await startEmbedded({ durable: true });
  const own = { ...database, ownerUrl: postgres.ownerUrl, superuserUrl: postgres.superuserUrl };
  await migrate({ url: postgres.ownerUrl });
  await insertTenant(own);
  const { ledger, close } = await openLedger(postgres.runtimeUrl, { writers: 1 });
  await withClient(postgres.superuserUrl, async (client) => {
    const waiting = `from pg_stat_activity where wait_event = 'SyncRep' and application_name like $1`;
    const set = async (standbys: string) => {
      await client.query(`alter system set synchronous_standby_names = '${standbys}'`);
      await client.query("select pg_reload_conf()");
      await eventually(async () => {
        const { rows } = await client.query("show synchronous_standby_names");
        return rows[0]?.synchronous_standby_names === standbys;
      });
    };
    await set("nobody");
    let answered = false;
    const asked = ledger.record(newRecord()).finally(() => {
      answered = true;
    });
    const count = async (name: string) => (await client.query(`select ${waiting}`, [name])).rowCount ?? 0;
    await eventually(async () => (await count("remit-writer-%")) === 1);
    await client.query(`select pg_cancel_backend(pid) ${waiting}`, ["remit-writer-%"]);
    // The fence is a commit too: it waits for the standby that the record waits for.
    await eventually(async () => (await count("remit-fence")) > 0);
    expect(answered).toBe(false);
    await set("");
    expect((await asked).outcome).toBe("inserted");
  });
  await close();
  await postgres.stop();
});
