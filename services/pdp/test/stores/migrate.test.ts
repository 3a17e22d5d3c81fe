import { appendFile, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkPostgres, checkSchema, migrate, readMigrations, schemaRange } from "../../src/stores/migrate.ts";
import { eventually } from "../support/processes.ts";
import { createEmptyDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const published = fileURLToPath(new URL("../../../../migrations/", import.meta.url));
const present = schemaRange.max;
const four = (number: number) => String(number).padStart(4, "0");
/** The migration that would come next. */
const NEXT = `${four(present + 1)}_next`;

let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  directory = await mkdtemp(join(tmpdir(), "remit-migrations-"));
  await cp(published, directory, { recursive: true });
});
afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const run = (): Promise<{ applied: string[]; version: number }> => migrate({ url: database.ownerUrl, directory });
const next = (sql: string, oldest = four(present), file = `${NEXT}.sql`): Promise<void> =>
  writeFile(join(directory, file), `-- oldest-build: ${oldest}\n${sql}\n`);
const unfit = (message: string) => ({ reason: "schema_unfit", message: expect.stringContaining(message) });

test("of eight that migrate at once one works and none fails", async () => {
  const all = await readMigrations();
  const outcomes = await Promise.all(Array.from({ length: 8 }, run));
  const worked = outcomes.filter(({ applied }) => applied.length > 0);
  expect(worked.map(({ applied }) => applied)).toEqual([all.map(({ name }) => name)]);
  for (const { version } of outcomes) expect(version).toBe(all.length);
  const { rows } = await withClient(database.ownerUrl, (client) =>
    client.query("select number, name, sha256 from schema_migration order by number"),
  );
  expect(rows).toEqual(all.map(({ number, name, sha256 }) => ({ number, name, sha256 })));
});

test("this build declares the schema that its own migrations make", async () => {
  expect(schemaRange.max).toBe((await readMigrations()).length);
  expect(schemaRange.min).toBeLessThanOrEqual(schemaRange.max);
});

test("a new file is applied alone", async () => {
  await run();
  await next("create table later (id integer)");
  expect(await run()).toEqual({ applied: [NEXT], version: present + 1 });
});

test("a file that fails leaves nothing of itself and can be put right", async () => {
  await run();
  await next("create table half (id integer); select 1/0");
  await expect(run()).rejects.toMatchObject({
    reason: "migration_failed",
    message: expect.stringContaining(`${NEXT} failed: division by zero`),
  });
  const { rows } = await withClient(database.ownerUrl, (client) => client.query("select to_regclass('half') as half"));
  expect(rows).toEqual([{ half: null }]);
  await next("create table half (id integer)");
  expect((await run()).applied).toEqual([NEXT]);
});

test("a file waits for a transaction that holds its table, and nobody waits behind it meanwhile", async () => {
  await run();
  await next("alter table record add column later integer");
  const told: string[] = [];
  await withClient(database.ownerUrl, async (reader) => {
    await reader.query("begin isolation level read committed");
    await reader.query("select from record");
    const migrating = migrate({ url: database.ownerUrl, directory, log: (line) => told.push(line) });
    await eventually(() => told.some((line) => line.includes(`${NEXT} waits`)));
    await reader.query("commit");
    expect((await migrating).applied).toEqual([NEXT]);
  });
});

test("a changed file is refused by its name", async () => {
  await run();
  await appendFile(join(directory, "0002_identities_and_documents.sql"), "-- afterthought\n");
  await expect(run()).rejects.toMatchObject(unfit("0002_identities_and_documents is not the one that was applied"));
});

test("a gap, a double and a strange name are refused before anything is done", async () => {
  const far = `${four(present + 2)}_too_far`;
  await next("select 1", four(present), `${far}.sql`);
  await expect(run()).rejects.toMatchObject(unfit(`${far} stands where ${four(present + 1)} should`));
  await rm(join(directory, `${far}.sql`));
  await next("select 1", four(present), "0003_another.sql");
  await expect(run()).rejects.toMatchObject(unfit("have a gap or a double"));
  await rm(join(directory, "0003_another.sql"));
  await next("select 1", four(present), "later.sql");
  await expect(run()).rejects.toMatchObject(unfit("later.sql is not named like 0001_what.sql"));
  await rm(join(directory, "later.sql"));
  await writeFile(join(directory, `${NEXT}.sql`), "select 1");
  await expect(run()).rejects.toMatchObject(unfit(`${NEXT}.sql does not begin with -- oldest-build`));
  const { rows } = await withClient(database.ownerUrl, (client) =>
    client.query("select to_regclass('schema_migration') as made"),
  );
  expect(rows).toEqual([{ made: null }]);
});

test("a database from a newer build is refused by the migration that is unknown", async () => {
  await next("select 1");
  await run();
  await rm(join(directory, `${NEXT}.sql`));
  await expect(run()).rejects.toMatchObject(
    unfit(`the database has migration ${NEXT}, which this build does not know`),
  );
});

test("the service refuses a database without tables, and one that is too old", async () => {
  await withClient(database.runtimeUrl, async (client) => {
    await expect(checkSchema(client)).rejects.toMatchObject(unfit("no tables of Remit yet"));
    await run();
    await checkSchema(client);
    await expect(checkSchema(client, { min: present + 1, max: present + 2 })).rejects.toMatchObject({
      ...unfit(`the database is at ${four(present)}, this build needs ${four(present + 1)}..${four(present + 2)}`),
      detail: { fix: expect.stringContaining("remit migrate") },
    });
  });
});

test("an older build runs on a newer schema only where its migrations say so", async () => {
  await next("create table expanded (id integer)");
  await run();
  await withClient(database.runtimeUrl, (client) => checkSchema(client, { min: 1, max: present }));
  await next("drop table expanded", four(present + 2), `${four(present + 2)}_contract.sql`);
  await run();
  await withClient(database.runtimeUrl, async (client) => {
    await expect(checkSchema(client, { min: 1, max: present })).rejects.toMatchObject({
      ...unfit(`the database is at ${four(present + 2)}, this build needs 0001..${four(present)}`),
      detail: { fix: expect.stringContaining("upgrade Remit") },
    });
    await checkSchema(client, { min: present + 1, max: present + 2 });
  });
});

test("a Postgres older than 17 is refused by its version", async () => {
  const server = (number: number, name: string) => ({ query: async () => ({ rows: [{ number, name }] }) });
  await expect(checkPostgres(server(160_009, "16.9"))).rejects.toMatchObject({
    reason: "postgres_too_old",
    message: "Remit needs Postgres 17 or later, this is 16.9",
  });
  await checkPostgres(server(170_000, "17.0"));
  await withClient(database.runtimeUrl, checkPostgres);
});
