import type { Client } from "pg";
import type { Log } from "../foundation/log.ts";
import type { Revisions } from "../policies/index.ts";
import { reconnectDelayMs } from "./database.ts";

export interface CellNews {
  /** Whether new entries are sealed. */
  readonly sealing: boolean;
  /** Moves with every change of the signing keys. */
  readonly keysRevision: bigint;
}

/** What one poll saw. */
export interface News {
  readonly revisions: ReadonlyMap<string, Revisions>;
  /** Sessions that ended since the poll before, and a little longer ago. */
  readonly ended: readonly { readonly id: string; readonly state: "closed" | "revoked" }[];
  /** What concerns every tenant of the cell. */
  readonly cell: CellNews;
  /** When the poll was sent, by the follower's own monotonic clock: what it saw is at least that new. */
  readonly sentAtMs: number;
}

export interface Feed {
  /** Polls until closed. The first poll has been heard when this resolves. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface Options {
  /** A new direct connection. */
  readonly connect: () => Promise<Client>;
  readonly intervalMs: number;
  readonly hear: (news: News) => Promise<void>;
  readonly now: () => number;
  readonly log: Log;
}

const OVERLAP_MS = 5_000;

// What is of the whole cell stands in every row of the answer, and in one of its own while there is no tenant.
const REVISIONS = {
  name: "revisions",
  text: `select r.tenant, r.security::text, r.policy::text, (now() - $1::interval)::text as since,
      coalesce(c.sealing, false) as sealing, coalesce(c.keys_revision, 0)::text as keys
    from (values (1)) as one left join cell c on true left join revision r on true`,
};
const ENDED = { name: "ended", text: "select id, state from session where closed_at > $1::timestamptz" };

interface RevisionRow {
  readonly tenant: string | null;
  readonly security: string;
  readonly policy: string;
  readonly since: string;
  readonly sealing: boolean;
  readonly keys: string;
}

/** One connection of its own, so that a busy pool never delays the news. */
export function createFeed({ connect, intervalMs, hear, now, log }: Options): Feed {
  let client: Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let since: string | undefined;
  const beganMs = now();
  let under: Promise<void> = Promise.resolve();

  const poll = async (): Promise<void> => {
    client ??= await connect();
    const sentAtMs = now();
    // The first good poll asks back to when this feed began: what closed meanwhile was heard by nobody here.
    const backMs = OVERLAP_MS + (since === undefined ? sentAtMs - beganMs : 0);
    const { rows } = await client.query<RevisionRow>({ ...REVISIONS, values: [`${Math.ceil(backMs)} milliseconds`] });
    const from = since ?? rows[0]?.since;
    const ended =
      from === undefined ? [] : (await client.query<News["ended"][number]>({ ...ENDED, values: [from] })).rows;
    const revisions = new Map<string, Revisions>();
    for (const row of rows) {
      if (row.tenant === null) continue;
      revisions.set(row.tenant, { security: BigInt(row.security), policy: BigInt(row.policy) });
    }
    const [first] = rows;
    if (!first) throw new Error("the poll answered no row");
    since = first.since;
    const cell = { sealing: first.sealing, keysRevision: BigInt(first.keys) };
    await hear({ revisions, ended, cell, sentAtMs });
  };

  const round = async (): Promise<void> => {
    try {
      await poll();
      if (failures > 0) log.info({ failures }, "the store can be followed again");
      failures = 0;
    } catch (error) {
      failures++;
      if (failures === 1) log.warn({ error }, "the store cannot be followed; policies grow old until it can");
      const broken = client;
      client = undefined;
      await broken?.end().catch(() => undefined);
    }
    if (closed) return;
    timer = setTimeout(turn, failures === 0 ? intervalMs : reconnectDelayMs(failures, Math.random()));
  };

  const turn = () => {
    under = round();
  };

  return {
    async start() {
      turn();
      await under;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await under;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
