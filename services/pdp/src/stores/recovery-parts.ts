import type { Client } from "pg";

/** What a store that may have lost commits has of one kind, and what makes it safe to go on with. */
export interface RecoveryPart {
  /** What there is, and what is done about it, for people to read before anything is done. */
  find(client: Client): Promise<{ readonly found: string; readonly action: string }>;
  /** Does it, in the one transaction of a recovery. */
  mend(client: Client): Promise<void>;
}

/**
 * How far numbers move on: further than what was lost can have taken. A writer is born at most some hundred times a second,
 * and orders are taken one a commit: a thousand millions of the first are months of that, a million millions of the second
 * are years of the fastest disk. Both fit into 63 bits millions of times.
 */
const WRITERS_APART = 10n ** 9n;
const ORDERS_APART = 10n ** 12n;
/** Revisions that were lost were named in answers: none may come to stand for something else. */
const REVISIONS_APART = 10n ** 6n;

const grouped = (number: bigint | string): string => BigInt(number).toLocaleString("en");

const counted = (count: number, one: string, many = `${one}s`) => `${grouped(`${count}`)} ${count === 1 ? one : many}`;

async function row<Row>(client: Client, sql: string): Promise<Row> {
  const { rows } = await client.query(sql);
  return rows[0] as Row;
}

/** What is told but not changed: how much the ledger holds, and until when. */
const records: RecoveryPart = {
  find: async (client) => {
    const { last } = await row<{ last: Date | null }>(client, "select max(recorded_at) as last from record");
    const { tenants } = await row<{ tenants: number }>(client, "select count(*)::int as tenants from tenant");
    return {
      found: last ? `the last record is of ${last.toISOString()}` : "the ledger is empty",
      action: `what was answered later is lost; an entry in the ledger of ${counted(tenants, "tenant")} tells of it`,
    };
  },
  mend: async () => {},
};

const NUMBERS = `select greatest((select last_value from record_ord),
    (select max(ord) from record), 0)::text as ord,
  greatest((select max(writer) from writer), (select max(writer) from record),
    (select coalesce(pg_sequence_last_value(pg_get_serial_sequence('writer', 'writer')::regclass), 0)))::text as writer`;

/** The numbers that records are named by: none that may have been answered is given again. */
const numbers: RecoveryPart = {
  find: async (client) => {
    const { ord, writer } = await row<{ ord: string; writer: string }>(client, NUMBERS);
    const next = grouped(BigInt(writer) + WRITERS_APART + 1n);
    return {
      found: `the last writer is ${grouped(writer)}, the last commit's order ${grouped(ord)}`,
      action: `the next writer is ${next}, the next order ${grouped(BigInt(ord) + ORDERS_APART + 1n)}`,
    };
  },
  mend: async (client) => {
    const { ord, writer } = await row<{ ord: string; writer: string }>(client, NUMBERS);
    await client.query("select setval(pg_get_serial_sequence('writer', 'writer'), $1)", [
      (BigInt(writer) + WRITERS_APART).toString(),
    ]);
    await client.query("select setval('record_ord', $1)", [(BigInt(ord) + ORDERS_APART).toString()]);
  },
};

/** Accounts of sessions' own that can still be spent from. */
const OWN_ACCOUNTS = "from account a where a.budget is null and a.hard and a.closes_at > now() and not a.frozen";

/**
 * What was held, spent or opened in the commits that are lost is not in the books: by them more may be spent than a limit
 * allows. The budgets are frozen and not their accounts, since accounts may be lost themselves and would be opened anew.
 */
const budgets: RecoveryPart = {
  find: async (client) => {
    const { hard, own } = await row<{ hard: number; own: number }>(
      client,
      `select (select count(*)::int from budget where hard and not frozen) as hard,
        (select count(*)::int ${OWN_ACCOUNTS}) as own`,
    );
    return {
      found: `${counted(hard, "hard budget")} and ${counted(own, "account")} of sessions' own let calls in`,
      action: "they are frozen: what was spent in lost commits is not in their books, until somebody has looked",
    };
  },
  mend: async (client) => {
    const why = "the store was recovered, and what was spent in commits that it lost is not in the books";
    await client.query("select from budget where hard and not frozen order by tenant, name for update");
    await client.query(
      `update budget set frozen = true, frozen_at = now(), frozen_by = null, freeze_reason = $1 where hard and not frozen`,
      [why],
    );
    await client.query(`select ${OWN_ACCOUNTS} order by a.id for update`);
    await client.query(
      `update account set frozen = true, frozen_at = now(), frozen_by = null, freeze_reason = $1, frozen_why = 'recovery'
        where id in (select a.id ${OWN_ACCOUNTS})`,
      [why],
    );
  },
};

/** The tenants' security revisions: what was judged before is judged anew. */
const revisions: RecoveryPart = {
  find: async (client) => {
    const { tenants, greatest } = await row<{ tenants: number; greatest: string | null }>(
      client,
      "select count(*)::int as tenants, max(security)::text as greatest from revision",
    );
    return {
      found: `${counted(tenants, "tenant")}, at security revisions up to ${grouped(greatest ?? "0")}`,
      action: `each moves on by ${grouped(REVISIONS_APART)}`,
    };
  },
  mend: async (client) => {
    await client.query("select from revision order by tenant for no key update");
    await client.query("update revision set security = security + $1", [REVISIONS_APART.toString()]);
  },
};

/** In the order in which they are mended; the rows of each come after those of the one before in the order of locks. */
export const recoveryParts: readonly RecoveryPart[] = [records, numbers, budgets, revisions];

/** The replicas that count as alive: each is declared dead in a transaction of its own, before everything else. */
export async function livingReplicas(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>("select id from replica where alive order by id");
  return rows.map(({ id }) => id);
}

export async function describeLiving(client: Client): Promise<{ readonly found: string; readonly action: string }> {
  const living = await row<{ replicas: number; writers: number }>(
    client,
    `select (select count(*)::int from replica where alive) as replicas,
      (select count(*)::int from writer where alive) as writers`,
  );
  return {
    found: `${counted(living.replicas, "replica")} and ${counted(living.writers, "writer")} count as alive`,
    action: "they are declared dead: nothing of them can be recorded any more",
  };
}
