import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { cellIdentity, checkCell, claimCell } from "../../src/stores/cell.ts";
import { checkDurability } from "../../src/stores/durability.ts";
import { type EmbeddedPostgres, startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const asRuntime = <Answer>(use: Parameters<typeof withClient<Answer>>[1]): Promise<Answer> =>
  withClient(database.runtimeUrl, use);

test("the first start stores which Postgres this is, and of eight first starts one does", async () => {
  await expect(asRuntime(checkCell)).rejects.toMatchObject({ reason: "cell_unclaimed" });
  const claims = await Promise.all(Array.from({ length: 8 }, () => asRuntime(claimCell)));
  const identity = await asRuntime(cellIdentity);
  for (const claim of claims) expect(claim).toEqual(identity);
  await asRuntime(checkCell);
});

test("another system, as after a dump restored elsewhere, stops the line", async () => {
  await asRuntime(claimCell);
  await withClient(database.ownerUrl, (client) => client.query("update cell set system_identifier = 42"));
  await expect(asRuntime(checkCell)).rejects.toMatchObject({
    reason: "cell_changed",
    message: expect.stringContaining("system 42, timeline 1; now system "),
    detail: { fix: expect.stringContaining("remit recover") },
  });
  // A later start does not heal it.
  await asRuntime(claimCell);
  await expect(asRuntime(checkCell)).rejects.toMatchObject({ reason: "cell_changed" });
});

test("a standby is told from a primary", async () => {
  const standby = {
    query: () => Promise.reject(Object.assign(new Error("recovery is in progress"), { code: "55000" })),
  };
  await expect(cellIdentity(standby)).rejects.toMatchObject({ reason: "store_read_only" });
});

test("a Postgres that may forget is refused, by the settings that are off", async () => {
  await expect(asRuntime(checkDurability)).rejects.toMatchObject({
    reason: "store_not_durable",
    message: expect.stringContaining("fsync and synchronous_commit off"),
  });
  const forgetful = { query: async () => ({ rows: [{ fsync: "on", synchronous_commit: "off" }] }) };
  await expect(checkDurability(forgetful)).rejects.toMatchObject({
    detail: { fix: expect.stringMatching(/^set synchronous_commit = on,/) },
  });
  for (const level of ["on", "local", "remote_write", "remote_apply"]) {
    await checkDurability({ query: async () => ({ rows: [{ fsync: "on", synchronous_commit: level }] }) });
  }
});

let dataDir: string;
let postgres: EmbeddedPostgres | undefined;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "remit-cell-"));
  await chmod(dataDir, 0o755);
});
afterAll(async () => {
  await postgres?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** What an archive recovery or a promoted standby is to Postgres: the same system on a new timeline. */
async function promote(): Promise<void> {
  const file = join(dataDir, "postgres", "data", "recovery.signal");
  await writeFile(file, "");
  await writeFile(join(dataDir, "postgres", "data", "postgresql.auto.conf"), "restore_command = 'false'\n");
  if (process.getuid?.() === 0) await chown(file, 65_534, 65_534);
}

test("a crash and a restart keep the pair, a promotion changes it at once", async () => {
  postgres = await startEmbedded({ dataDir, durable: true });
  await migrate({ url: postgres.ownerUrl });
  await withClient(postgres.runtimeUrl, async (client) => {
    await claimCell(client);
    await checkDurability(client);
  });
  process.kill(postgres.pid, "SIGQUIT");
  await postgres.ended;
  postgres = await startEmbedded({ dataDir, durable: true });
  await withClient(postgres.runtimeUrl, checkCell);
  await postgres.stop();
  await promote();
  postgres = await startEmbedded({ dataDir, durable: true });
  await withClient(postgres.runtimeUrl, async (client) => {
    await eventually(async () => !(await client.query("select pg_is_in_recovery() as standby")).rows[0]?.standby);
    await expect(checkCell(client)).rejects.toMatchObject({
      reason: "cell_changed",
      message: expect.stringMatching(/timeline 1; now system \d+, timeline 2/),
    });
  });
});
