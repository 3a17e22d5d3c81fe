import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { Fault } from "../foundation/fault.ts";

const BESIDE = fileURLToPath(new URL("./migrations/", import.meta.url));

/** Beside this code where it is part of a bundle; in a checkout, where every package finds them. */
const DIRECTORY = existsSync(BESIDE) ? BESIDE : fileURLToPath(new URL("../../../../migrations/", import.meta.url));

/** The schemas that this build runs on, by the number of their last migration. */
export const schemaRange = { min: 36, max: 36 } as const;

/** The oldest Postgres whose transactions can be given a time-out as a whole. */
const postgresMajorMin = 17;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
  readonly sql: string;
  /** The oldest build, by the schema it was made for, that still runs once this file is applied. */
  readonly oldestBuild: number;
}

export interface MigrateOptions {
  /** Of the owner role; direct, not through a transaction pooler. */
  readonly url: string;
  readonly directory?: string;
  readonly log?: (line: string) => void;
}

/** What `checkSchema` and the like need of a connection. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

const fourDigits = (number: number): string => String(number).padStart(4, "0");

function unfit(message: string, fix: string): Fault {
  return new Fault("precondition", "schema_unfit", message, { fix });
}

async function readMigration(directory: string, file: string): Promise<Migration> {
  const name = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file);
  if (name === null) throw unfit(`${file} is not named like 0001_what.sql`, `rename it, in ${directory}`);
  const bytes = await readFile(`${directory}/${file}`);
  const sql = bytes.toString("utf8");
  const oldest = /^-- oldest-build: (\d{4})\n/.exec(sql)?.[1];
  if (oldest === undefined)
    throw unfit(`${file} does not begin with -- oldest-build: NNNN`, "name the oldest build that runs on it");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { number: Number(name[1]), name: file.slice(0, -4), sha256, sql, oldestBuild: Number(oldest) };
}

/** The migrations of a directory in order. Throws on a gap, two files of one number, or a file named otherwise. */
export async function readMigrations(directory: string = DIRECTORY): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).sort();
  const migrations = await Promise.all(files.map((file) => readMigration(directory, file)));
  for (const [at, { number, name }] of migrations.entries()) {
    if (number !== at + 1) {
      throw unfit(
        `the migrations have a gap or a double: ${name} stands where ${fourDigits(at + 1)} should`,
        `look at ${directory}`,
      );
    }
  }
  return migrations;
}

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
}

function compare(migrations: readonly Migration[], applied: readonly Applied[]): void {
  for (const [at, row] of applied.entries()) {
    if (row.number !== at + 1)
      throw unfit(`the database lacks migration ${fourDigits(at + 1)}`, "restore it from a backup");
    const file = migrations[at];
    if (file === undefined) {
      throw unfit(
        `the database has migration ${row.name}, which this build does not know`,
        "use the newer build of Remit",
      );
    }
    if (file.name !== row.name || file.sha256 !== row.sha256) {
      throw unfit(
        `the migration ${file.name} is not the one that was applied (${row.name})`,
        "a published migration never changes: put it back and add a new one",
      );
    }
  }
}

const LOCK_NOT_AVAILABLE = "55P03";
/** How often a migration asks for its locks: a minute or two in all. */
const LOCK_TRIES_MAX = 60;
const BETWEEN_LOCKS_MS = 1_000;

/** Applies a file, asking anew for what somebody's long transaction holds: in between, everybody else goes on. */
async function applyPatiently(client: pg.Client, migration: Migration, log: MigrateOptions["log"]): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      return await apply(client, migration);
    } catch (error) {
      const isLocked = error instanceof Fault && (error.cause as { code?: string }).code === LOCK_NOT_AVAILABLE;
      if (!isLocked || tried === LOCK_TRIES_MAX) throw error;
      if (tried === 1) log?.(`${migration.name} waits for a transaction that holds one of its tables`);
      await setTimeout(BETWEEN_LOCKS_MS * (0.5 + Math.random()));
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("begin isolation level read committed");
  try {
    // Whoever waits for a lock makes everybody else wait behind it, and commits are given up after two seconds.
    await client.query("set local lock_timeout = '1s'; set local search_path = public");
    await client.query(migration.sql);
    await client.query("insert into schema_migration (number, name, sha256, oldest_build) values ($1, $2, $3, $4)", [
      migration.number,
      migration.name,
      migration.sha256,
      migration.oldestBuild,
    ]);
    await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => {});
    const { message, hint } = cause as { message?: string; hint?: string };
    const fix = hint ?? "nothing of it was applied: put it right and run `remit migrate` again";
    throw new Fault(
      "precondition",
      "migration_failed",
      `migration ${migration.name} failed: ${message}`,
      { fix },
      cause,
    );
  }
}

const TABLE = `create table if not exists public.schema_migration (
  number integer primary key, name text not null, sha256 text not null, oldest_build integer not null,
  applied_at timestamptz not null default now())`;

/**
 * Applies what is missing, each file in a transaction of its own, and answers what it applied. Any number may run at
 * once: one works, the others wait and find nothing to do. Throws on a changed, missing or unknown file.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[]; version: number }> {
  const migrations = await readMigrations(options.directory);
  const client = new pg.Client({ connectionString: options.url, application_name: "remit-migrate" });
  // What breaks the connection fails the query that is under way; with none under way it must not end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    await checkPostgres(client);
    await client.query("select pg_advisory_lock(hashtextextended('remit_migrate', 0))");
    await client.query(TABLE);
    const { rows } = await client.query<Applied>(
      "select number, name, sha256 from public.schema_migration order by number",
    );
    compare(migrations, rows);
    const missing = migrations.slice(rows.length);
    for (const migration of missing) {
      await applyPatiently(client, migration, options.log);
      options.log?.(`applied ${migration.name}`);
    }
    return { applied: missing.map(({ name }) => name), version: migrations.length };
  } finally {
    await client.end();
  }
}

/** Throws when the server is older than what Remit needs. */
export async function checkPostgres(client: Queryable): Promise<void> {
  const { rows } = await client.query(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as name",
  );
  const { number, name } = rows[0] as { number: number; name: string };
  if (number >= postgresMajorMin * 10_000) return;
  throw new Fault(
    "precondition",
    "postgres_too_old",
    `Remit needs Postgres ${postgresMajorMin} or later, this is ${name}`,
    {
      fix: "upgrade Postgres, or name another one in REMIT_DATABASE_URL",
    },
  );
}

const RUN = "run `remit migrate` with REMIT_MIGRATION_URL, the owner's connection";

/**
 * Throws unless the database's schema fits this build. A newer schema fits as long as its migrations say that builds
 * like this one still run on it: upgrades expand first and contract later.
 */
export async function checkSchema(client: Queryable, range: { min: number; max: number } = schemaRange): Promise<void> {
  const { rows: tables } = await client.query("select to_regclass('public.schema_migration') is not null as there");
  if (!tables[0]?.there) throw unfit("the database has no tables of Remit yet", RUN);
  const { rows } = await client.query(
    "select max(number)::int as version, max(oldest_build)::int as oldest from public.schema_migration",
  );
  const { version, oldest } = rows[0] as { version: number | null; oldest: number | null };
  const at = version ?? 0;
  const here = `the database is at ${fourDigits(at)}, this build needs ${fourDigits(range.min)}..${fourDigits(range.max)}`;
  if (at < range.min) throw unfit(here, RUN);
  if (at > range.max && (oldest ?? at) > range.max)
    throw unfit(here, "upgrade Remit: its newer build has changed the database");
}
