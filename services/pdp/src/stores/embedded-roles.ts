import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

export interface Reach {
  readonly socketDir: string;
  readonly port: number;
  /** For the login roles over TCP; undefined when there is no TCP. */
  readonly password: string | undefined;
}

export interface RoleUrls {
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  readonly tcp?: { readonly ownerUrl: string; readonly runtimeUrl: string };
}

const DATABASE = "remit";

/** A URL over a Unix socket that `pg` and libpq read alike. */
function socketUrl(reach: Pick<Reach, "socketDir" | "port">, role: string, database: string): string {
  return `postgresql://${role}@localhost:${reach.port}/${database}?host=${encodeURIComponent(reach.socketDir)}`;
}

async function ensure(client: pg.Client, exists: string, make: string): Promise<void> {
  const { rowCount } = await client.query(exists);
  if (rowCount === 0) await client.query(make);
}

const POLL_MS = 10;

/** A Postgres that was given a backup answers reads before it has replayed its log to the end. No limit of ours. */
async function untilWritable(client: pg.Client): Promise<void> {
  const standby = async () => (await client.query("select pg_is_in_recovery() as standby")).rows[0]?.standby;
  while (await standby()) await delay(POLL_MS);
}

/** Makes the roles and the database of an embedded Postgres where they are missing, and tells their URLs. */
export async function prepareRoles(reach: Reach): Promise<RoleUrls> {
  const client = new pg.Client({ connectionString: socketUrl(reach, "remit", "postgres") });
  await client.connect();
  try {
    await untilWritable(client);
    const role = (name: string) => `select from pg_roles where rolname = '${name}'`;
    await ensure(client, role("remit_owner"), "create role remit_owner login");
    await ensure(client, role("remit_runtime"), "create role remit_runtime nologin");
    await ensure(client, role("remit_reader"), "create role remit_reader nologin");
    await ensure(client, role("remit_service"), "create role remit_service login in role remit_runtime");
    const database = `select from pg_database where datname = '${DATABASE}'`;
    await ensure(client, database, `create database ${DATABASE} owner remit_owner`);
    if (reach.password !== undefined) {
      // 48 hexadecimal digits: nothing to quote.
      for (const name of ["remit_owner", "remit_service"]) {
        await client.query(`alter role ${name} password '${reach.password}'`);
      }
    }
  } finally {
    await client.end();
  }
  const tcpUrl = (name: string) => `postgresql://${name}:${reach.password}@127.0.0.1:${reach.port}/${DATABASE}`;
  return {
    superuserUrl: socketUrl(reach, "remit", DATABASE),
    ownerUrl: socketUrl(reach, "remit_owner", DATABASE),
    runtimeUrl: socketUrl(reach, "remit_service", DATABASE),
    ...(reach.password === undefined
      ? {}
      : { tcp: { ownerUrl: tcpUrl("remit_owner"), runtimeUrl: tcpUrl("remit_service") } }),
  };
}
