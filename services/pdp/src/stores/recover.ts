import type { Client } from "pg";
import pg from "pg";
import { canonical } from "../foundation/canonical.ts";
import { rfc3339, utcDay } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import { Fault } from "../foundation/fault.ts";
import { idempotencyKey, type NewRecord } from "../ledger/index.ts";
import { type CellIdentity, cellIdentity, storedIdentity } from "./cell.ts";
import { inTransaction } from "./database.ts";
import { commitQuery, readCommitted } from "./ledger-statement.ts";
import { checkPostgres, checkSchema } from "./migrate.ts";
import { describeLiving, livingReplicas, recoveryParts } from "./recovery-parts.ts";
import { endReplica } from "./writer-row.ts";

export interface RecoverOptions {
  /** Of the owner role; direct. */
  readonly url: string;
  /** Only then is anything changed. */
  readonly apply: boolean;
  readonly newId: (nowMs: number) => string;
}

/** What was found, and what is or was done about it. */
export interface Recovery {
  readonly stored: CellIdentity;
  readonly now: CellIdentity;
  /** `fits`: this is the Postgres that recorded before; there is nothing to recover, and nothing was looked at. */
  readonly state: "fits" | "found" | "recovered";
  readonly findings: readonly { readonly found: string; readonly action: string }[];
}

const INSUFFICIENT_PRIVILEGE = "42501";
const BATCH = 256;
const NO_SESSION = "00000000-0000-0000-0000-000000000000";

const same = (a: CellIdentity, b: CellIdentity) =>
  a.systemIdentifier === b.systemIdentifier && a.timeline === b.timeline;

const told = ({ systemIdentifier, timeline }: CellIdentity) => ({ system: `${systemIdentifier}`, timeline });

async function identities(client: Client): Promise<Pick<Recovery, "stored" | "now">> {
  const now = await cellIdentity(client);
  const stored = await storedIdentity(client);
  if (stored) return { stored, now };
  throw new Fault("precondition", "cell_unclaimed", "nobody has started on this database yet", {
    fix: "start the service: its first start stores which Postgres this is",
  });
}

interface Tenant {
  readonly tenant: string;
  readonly security: string;
}

interface Told extends Pick<Recovery, "stored" | "now"> {
  readonly id: string;
  readonly atMs: number;
  readonly by: string;
  readonly findings: Recovery["findings"];
}

/** The entry that tells a tenant of it. */
function entry({ tenant, security }: Tenant, { id, atMs, by, stored, now, findings }: Told): NewRecord {
  const text = canonical({
    v: 1,
    kind: "admin",
    id,
    at: rfc3339(atMs),
    tenant,
    caller: { name: "remit recover", role: by },
    change: "store_recovered",
    what: { from: told(stored), to: told(now), findings: findings.map(({ found, action }) => ({ found, action })) },
  });
  return {
    id,
    tenant,
    session: NO_SESSION,
    sessionDay: utcDay(atMs),
    key: idempotencyKey("store_recovered", id, 1),
    request: digestBytes("request", canonical({ change: id })),
    kind: "admin",
    securityRevision: BigInt(security),
    digest: digestBytes("entry", text),
    body: Buffer.from(text),
  };
}

/** Tells every tenant, under a writer of its own that is born and shut out in this transaction. */
async function tellTenants(
  client: Client,
  options: RecoverOptions,
  pair: Pick<Recovery, "stored" | "now" | "findings">,
) {
  const { rows: times } = await client.query<{ ms: number; by: string }>(
    "select (extract(epoch from now()) * 1000)::float8 as ms, current_user as by",
  );
  const { ms = 0, by = "" } = times[0] ?? {};
  const replica = options.newId(Math.floor(ms));
  await client.query("insert into replica (id, host, alive) values ($1, 'remit recover', false)", [replica]);
  const { rows } = await client.query<{ writer: string }>(
    "insert into writer (replica, pid) values ($1, pg_backend_pid()) returning writer",
    [replica],
  );
  const writer = BigInt(rows[0]?.writer ?? 0);
  const { rows: tenants } = await client.query<Tenant>(
    "select tenant, security::text as security from revision order by tenant",
  );
  let last = 0n;
  for (let at = 0; at < tenants.length; at += BATCH) {
    const batch = tenants
      .slice(at, at + BATCH)
      .map((tenant) => entry(tenant, { ...pair, id: options.newId(Math.floor(ms)), atMs: Math.floor(ms), by }));
    const { rows: said } = await client.query(commitQuery(writer, last, batch));
    const { inserted, greatest } = readCommitted(said[0]);
    if (inserted !== batch.length) throw new Error("an entry of the recovery was not recorded");
    last = greatest ?? last;
  }
  await client.query("update writer set alive = false, last_n = $2 where writer = $1", [writer, last]);
}

async function mend(client: Client, options: RecoverOptions, findings: Recovery["findings"]): Promise<void> {
  for (const replica of await livingReplicas(client)) await endReplica(client, replica);
  await inTransaction(client, "read committed", async () => {
    // Of two who recover at once, the second finds that the pair fits.
    await client.query("select from cell for update");
    const pair = await identities(client);
    if (same(pair.stored, pair.now)) return;
    const late = await livingReplicas(client);
    if (late.length > 0) {
      throw new Fault("conflict", "replica_alive", `replica ${late[0]} was started meanwhile`, {
        fix: "stop every replica, then run `remit recover` again",
      });
    }
    for (const part of recoveryParts) await part.mend(client);
    await tellTenants(client, options, { ...pair, findings });
    await client.query("update cell set system_identifier = $1, timeline = $2, stored_at = now()", [
      pair.now.systemIdentifier.toString(),
      pair.now.timeline,
    ]);
  });
}

async function lookAndMend(client: Client, options: RecoverOptions): Promise<Recovery> {
  await checkPostgres(client);
  await checkSchema(client);
  const pair = await identities(client);
  if (same(pair.stored, pair.now)) return { ...pair, state: "fits", findings: [] };
  const findings = [await describeLiving(client)];
  for (const part of recoveryParts) findings.push(await part.find(client));
  if (!options.apply) return { ...pair, state: "found", findings };
  await mend(client, options, findings);
  return { ...pair, state: "recovered", findings };
}

/**
 * Lets a cell go on with a Postgres that is not the one that recorded before, and may have lost commits that were
 * answered: a restored backup, a standby that took over. Nothing is changed unless `apply` says so. Throws a Fault when
 * the store cannot be asked or is not a store of Remit.
 */
export async function recover(options: RecoverOptions): Promise<Recovery> {
  const client = new pg.Client({ connectionString: options.url, application_name: "remit-recover" });
  // What breaks the connection fails the query that is under way; with none under way it must not end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    return await lookAndMend(client, options);
  } catch (cause) {
    if ((cause as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw cause;
    const fix =
      "use the role that owns the tables, which must also be a member of the role that the service logs in as";
    throw new Fault("forbidden", "not_the_owner", "this role may not recover the store", { fix }, cause);
  } finally {
    await client.end();
  }
}
