import pg from "pg";
import { systemRandom, uuidMaker } from "../../../services/pdp/src/foundation/ids.ts";

/** How much of everything there is to be. */
export interface Sizes {
  readonly agents: number;
  /** All sessions that were ever opened; the living ones are among them. */
  readonly sessions: number;
  readonly live: number;
  /** Living sessions that stand at the end of a chain of delegations, and how long those chains are. */
  readonly chains: number;
  readonly links: number;
}

const TENANT = "default";
const perStatement = 20_000;
const newId = uuidMaker(systemRandom());

async function asOwner<Answer>(url: string, use: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Registers agents like one that is there, until there are `count`. Their revision is the tenant's: nothing moves. */
export function addAgents(ownerUrl: string, like: string, count: number): Promise<void> {
  return asOwner(ownerUrl, async (client) => {
    await client.query(
      `insert into agent (tenant, name, document, source, digest, revision)
       select tenant, $2 || '-' || i, jsonb_set(document, '{metadata,name}', to_jsonb($2 || '-' || i)), source,
              sha256(convert_to($2 || '-' || i, 'utf8')), revision
         from agent, generate_series(1, $3::int - 1) as i
        where tenant = $1 and name = $2
       on conflict do nothing`,
      [TENANT, like, count],
    );
    await client.query("analyze agent");
  });
}

const COPY = `insert into session (id, tenant, agent, principal_id, principal_verified, principal_labels, purpose, scope,
    labels, state, parent, depth, opened_at, expires_at, opened_by, details, closed_at)
  select w.id, s.tenant, s.agent, 'person-' || w.at, s.principal_verified, s.principal_labels, s.purpose, s.scope,
         s.labels, $2, w.parent, w.depth, s.opened_at, s.expires_at, s.opened_by, s.details,
         case when $2 = 'open' then null else s.opened_at end
    from session s, unnest($3::uuid[], $4::uuid[], $5::int[]) with ordinality as w(id, parent, depth, at)
   where s.id = $1`;

interface Row {
  readonly id: string;
  readonly parent: string | null;
  readonly depth: number;
}

const ids = (count: number): string[] => Array.from({ length: count }, () => newId(Date.now()));

async function insert(client: pg.Client, like: string, state: "open" | "closed", rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += perStatement) {
    const some = rows.slice(from, from + perStatement);
    const columns = [some.map(({ id }) => id), some.map(({ parent }) => parent), some.map(({ depth }) => depth)];
    await client.query(COPY, [like, state, ...columns]);
  }
}

/** One chain: a session, one that it opened, and so on; the last one last. */
function chain(links: number): Row[] {
  const rows: Row[] = [];
  for (const [depth, id] of ids(links + 1).entries()) rows.push({ id, parent: rows.at(-1)?.id ?? null, depth });
  return rows;
}

const alone = (id: string): Row => ({ id, parent: null, depth: 0 });

/**
 * Adds sessions like one that is there. Answers the living ones: those that stand alone, and the last of every chain.
 * The rest of a chain counts as living too.
 */
export function addSessions(
  ownerUrl: string,
  like: string,
  { sessions, live, chains, links }: Omit<Sizes, "agents">,
): Promise<{ readonly alone: readonly string[]; readonly deep: readonly string[] }> {
  return asOwner(ownerUrl, async (client) => {
    const linked = Array.from({ length: chains }, () => chain(links));
    const single = ids(live - chains * (links + 1));
    for (let rest = sessions - live; rest > 0; rest -= perStatement) {
      await insert(client, like, "closed", ids(Math.min(rest, perStatement)).map(alone));
    }
    await insert(client, like, "open", single.map(alone));
    await insert(client, like, "open", linked.flat());
    await client.query("analyze session");
    return { alone: single, deep: linked.map((rows) => rows.at(-1)?.id ?? "") };
  });
}
