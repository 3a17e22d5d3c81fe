import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate, readMigrations } from "../../src/stores/migrate.ts";
import { createEmptyDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { type Dump, restoreDump } from "./dump.ts";

const published = fileURLToPath(new URL("../../../../migrations/", import.meta.url));

/** Makes the tables as they were at a schema: published migrations never change. */
async function migrateTo(schema: number, url: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "remit-schema-"));
  try {
    for (const { name } of (await readMigrations(published)).slice(0, schema)) {
      await cp(join(published, `${name}.sql`), join(directory, `${name}.sql`));
    }
    await migrate({ url, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

// The dump stands for the same Postgres before and after an upgrade, not for a backup that was restored elsewhere.
const HERE = `update cell set system_identifier = (select system_identifier from pg_control_system()),
  timeline = ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int`;

/** A database as the build of a kept schema left it. */
export async function restoredDatabase(dump: Dump): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  await migrateTo(dump.schema, database.ownerUrl);
  await withClient(database.ownerUrl, (client) => restoreDump(client, dump));
  await withClient(database.superuserUrl, (client) => client.query(HERE));
  return database;
}
