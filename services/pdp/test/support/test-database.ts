import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

export interface TestDatabase {
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  readonly name: string;
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

/** Runs one function with a connection of its own. */
export async function withClient<Answer>(url: string, use: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
  const client = new pg.Client({ connectionString: url, application_name: "remit-test" });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}

async function clone(from: "remit" | "template0"): Promise<TestDatabase> {
  const urls = inject("remitPostgres");
  const name = `test_${randomBytes(8).toString("hex")}`;
  const admin = inDatabase(urls.superuserUrl, "postgres");
  await withClient(admin, async (client) => {
    await client.query(`create database ${name} template ${from} owner remit_owner`);
    // A clone has the default privileges of a database, not its template's.
    await client.query(`revoke temporary on database ${name} from public`);
  });
  return {
    superuserUrl: inDatabase(urls.superuserUrl, name),
    ownerUrl: inDatabase(urls.ownerUrl, name),
    runtimeUrl: inDatabase(urls.runtimeUrl, name),
    name,
    drop: () =>
      withClient(admin, async (client) => void (await client.query(`drop database if exists ${name} with (force)`))),
  };
}

/** A migrated database of one's own, in the run's Postgres. For tests of the project `doors`. */
export function createTestDatabase(): Promise<TestDatabase> {
  return clone("remit");
}

/** A database without tables, for tests of the migrations themselves. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return clone("template0");
}
