import type { QueryConfig, QueryResultRow } from "pg";
import { eachInSlices, type Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { ChangedRows, SessionState } from "../identities/index.ts";
import type { Revisions } from "../policies/index.ts";

export interface CellNews {
  /** Whether new entries are sealed. */
  readonly sealing: boolean;
  /** Moves with every change of the signing keys. */
  readonly keysRevision: bigint;
  /** The version of the engine that decides; undefined: any. */
  readonly engine: string | undefined;
}

/** What one poll saw, all of it in one snapshot of the store. */
export interface News {
  readonly revisions: ReadonlyMap<string, Revisions>;
  /** Every row that changed and that the poll before cannot have seen; undefined when there was none before. */
  readonly changed: ChangedRows | undefined;
  /** The names of the signing keys that live. */
  readonly signers: readonly string[];
  /** What concerns every tenant of the cell. */
  readonly cell: CellNews;
  /** When the poll was sent, by the follower's own monotonic clock: what it saw is at least that new. */
  readonly sentAtMs: number;
}

/*
 * One statement, so that all of it is of one snapshot: whoever has the revision of it has the rows of it too. A row that
 * changed names its transaction; what the snapshot of the poll before (a pg_snapshot, $1) shows, that poll told. A
 * number beyond this snapshot is of another Postgres that these rows were brought from.
 *
 * Every poll tells of every tenant. A row for each of ten thousand would be some 10 MB to move and to collect, ten times
 * a second; so many share a row, always the same ones, and a text that is what it was is not read again.
 */
const CHANGED = `changed >= pg_snapshot_xmin($1::pg_snapshot) and changed < pg_snapshot_xmax(pg_current_snapshot())
    and not pg_visible_in_snapshot(changed, $1::pg_snapshot)`;
const TENANT_ROWS = 64;
const NEWS = `select 'cell' as what, pg_current_snapshot()::text as id, coalesce(c.sealing, false)::text as one,
    coalesce(c.keys_revision, 0)::text as two,
    (select string_agg(kid, ' ' order by kid) from signing_key where retired_at is null) as three,
    c.engine as four
  from (values (1)) as always left join cell c on true
  union all select 'tenants', (hashtext(tenant) & ${TENANT_ROWS - 1})::text,
    string_agg(security || ' ' || policy || ' ' || tenant, chr(10)), null, null, null from revision group by 2
  union all select 'session', id::text, state, null, null, null from session where ${CHANGED}
  union all select 'caller', id::text, null, null, null, null from caller where ${CHANGED}`;

/** Rows of one answer of the server. `rows` is the driver's, and missing in its types. */
const ROWS_AT_ONCE = 500;

interface NewsRow extends QueryResultRow {
  readonly what: "cell" | "tenants" | "session" | "caller";
  readonly id: string;
  readonly one: string | null;
  readonly two: string | null;
  readonly three: string | null;
  readonly four: string | null;
}

/** The poll's statement. `before`: the snapshot of the poll before; undefined for the first. */
export const newsQuery = (before: string | undefined): QueryConfig & { readonly rows: number } => ({
  ...{ name: "news", text: NEWS, values: [before ?? null], rows: ROWS_AT_ONCE },
});

/** Tenants of one row: its text, and what it says. */
interface TenantsRow {
  readonly text: string;
  readonly revisions: readonly (readonly [tenant: string, Revisions])[];
}

function tenantOf(line: string): readonly [tenant: string, Revisions] {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const revisions = { security: BigInt(line.slice(0, first)), policy: BigInt(line.slice(first + 1, second)) };
  return [line.slice(second + 1), revisions];
}

function* tenantsOf(rows: Iterable<TenantsRow>) {
  for (const { revisions } of rows) yield* revisions;
}

/** Reads the tenants' rows of polls that follow on each other. */
function createTenants(pause: Pause) {
  let known: ReadonlyMap<string, TenantsRow> = new Map();
  let all: ReadonlyMap<string, Revisions> = new Map();
  const readNew = async (texts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, TenantsRow>> => {
    const rows = new Map<string, TenantsRow>();
    const lines = function* () {
      for (const [id, text] of texts) {
        const revisions: (readonly [string, Revisions])[] = [];
        rows.set(id, { text, revisions });
        for (const line of text.split("\n")) yield { line, revisions };
      }
    };
    await eachInSlices(lines(), pause, ({ line, revisions }) => revisions.push(tenantOf(line)));
    return rows;
  };
  /** The revisions of all tenants. Where none has moved, the same map as before. */
  return async (texts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Revisions>> => {
    const moved = new Map([...texts].filter(([id, text]) => known.get(id)?.text !== text));
    if (moved.size === 0 && texts.size === known.size) return all;
    const rows = new Map([...known, ...(await readNew(moved))].filter(([id]) => texts.has(id)));
    const revisions = new Map<string, Revisions>();
    await eachInSlices(tenantsOf(rows.values()), pause, ([tenant, its]) => revisions.set(tenant, its));
    [known, all] = [rows, revisions];
    return all;
  };
}

/** Reads what the rows of that statement say, and the snapshot that they are of: of one poll after another. */
export function createNewsReader(pause: Pause = turnOfTheLoop) {
  const tenantsFrom = createTenants(pause);
  return async (rows: readonly QueryResultRow[]) => {
    const tenants = new Map<string, string>();
    const sessions = { open: new Set<string>(), closed: new Set<string>(), revoked: new Set<string>() };
    const callers = new Set<string>();
    let cell: CellNews | undefined;
    let snapshot = "";
    let signers: readonly string[] = [];
    await eachInSlices(rows as readonly NewsRow[], pause, ({ what, id, one, two, three, four }) => {
      if (what === "tenants") tenants.set(id, one ?? "");
      else if (what === "session") sessions[one as SessionState].add(id);
      else if (what === "caller") callers.add(id);
      else {
        cell = { sealing: one === "true", keysRevision: BigInt(two ?? 0), engine: four ?? undefined };
        signers = three?.split(" ") ?? [];
        snapshot = id;
      }
    });
    if (!cell) throw new Error("the poll did not tell of its cell");
    const revisions = await tenantsFrom(tenants);
    return { snapshot, news: { revisions, changed: { sessions, callers }, signers, cell } };
  };
}
