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
 */
const CHANGED = `changed >= pg_snapshot_xmin($1::pg_snapshot) and changed < pg_snapshot_xmax(pg_current_snapshot())
    and not pg_visible_in_snapshot(changed, $1::pg_snapshot)`;
const NEWS = `select 'cell' as what, pg_current_snapshot()::text as id, coalesce(c.sealing, false)::text as one,
    coalesce(c.keys_revision, 0)::text as two,
    (select string_agg(kid, ' ' order by kid) from signing_key where retired_at is null) as three,
    c.engine as four
  from (values (1)) as always left join cell c on true
  union all select 'tenant', tenant, security::text, policy::text, null, null from revision
  union all select 'session', id::text, state, null, null, null from session where ${CHANGED}
  union all select 'caller', id::text, null, null, null, null from caller where ${CHANGED}`;

/** Rows of one answer of the server. `rows` is the driver's, and missing in its types. */
const ROWS_AT_ONCE = 500;

interface NewsRow extends QueryResultRow {
  readonly what: "cell" | "tenant" | "session" | "caller";
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

/** What the rows of that statement say, and the snapshot that they are of. */
export async function readNews(rows: readonly QueryResultRow[], pause: Pause = turnOfTheLoop) {
  const revisions = new Map<string, Revisions>();
  const sessions: { id: string; state: SessionState }[] = [];
  const callers: string[] = [];
  let cell: CellNews | undefined;
  let snapshot = "";
  let signers: readonly string[] = [];
  await eachInSlices(rows as readonly NewsRow[], pause, ({ what, id, one, two, three, four }) => {
    if (what === "tenant") revisions.set(id, { security: BigInt(one ?? 0), policy: BigInt(two ?? 0) });
    else if (what === "session") sessions.push({ id, state: one as SessionState });
    else if (what === "caller") callers.push(id);
    else {
      cell = { sealing: one === "true", keysRevision: BigInt(two ?? 0), engine: four ?? undefined };
      signers = three?.split(" ") ?? [];
      snapshot = id;
    }
  });
  if (!cell) throw new Error("the poll did not tell of its cell");
  return { snapshot, news: { revisions, changed: { sessions, callers }, signers, cell } };
}
