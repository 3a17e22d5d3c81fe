import type { Pool } from "pg";
import type {
  AccountBooks,
  AccountQuery,
  BookDifference,
  BudgetBooksStore,
  BudgetStanding,
  Freeze,
  HeldCall,
  PlacedAccount,
} from "../decisions/index.ts";
import { mapInSlices } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { documentRows } from "./document-rows.ts";

interface FreezeColumns {
  readonly frozen: boolean;
  readonly frozen_at: Date | null;
  readonly frozen_by: string | null;
  readonly freezer: string | null;
  readonly freeze_reason: string | null;
}

interface AccountColumns extends FreezeColumns {
  readonly id: string;
  readonly budget: string | null;
  readonly session: string | null;
  readonly key: string;
  readonly unit: string;
  readonly hard: boolean;
  readonly most: string;
  readonly own_limit: string | null;
  readonly held: string;
  readonly posted: string;
  readonly overage: string;
  readonly frozen_why: string | null;
  readonly alarm: string | null;
  readonly windows_before: number;
  readonly alarm_off_at: Date | null;
  readonly begins: Date;
  /** Infinity where it never closes. */
  readonly closes_at: Date | number;
  readonly used: string;
  readonly accounts: string;
}

const WHY: Readonly<Record<string, string>> = {
  overage: "a call spent more beyond its hold than its tool may",
  recovery: "the store lost commits, and nobody knows what was spent",
};

function freezeFrom(row: FreezeColumns & { readonly frozen_why?: string | null }): Freeze | undefined {
  if (!row.frozen) return undefined;
  return {
    reason: row.freeze_reason ?? WHY[row.frozen_why ?? ""] ?? "",
    by: row.frozen_by === null ? undefined : { id: row.frozen_by, name: row.freezer ?? "" },
    atMs: row.frozen_at?.getTime(),
  };
}

function accountFrom(row: AccountColumns): AccountBooks {
  const { budget, session, key, unit, hard, own_limit, closes_at } = row;
  return {
    ...{ id: BigInt(row.id), key, unit, hard, budget: budget ?? undefined, session: session ?? undefined },
    ...{ limit: BigInt(row.most), ownLimit: own_limit === null ? null : BigInt(own_limit) },
    ...{ held: BigInt(row.held), posted: BigInt(row.posted), overage: BigInt(row.overage) },
    freeze: freezeFrom(row),
    alarm: row.alarm === null ? undefined : BigInt(row.alarm),
    ...{ windowsBefore: row.windows_before, alarmOffAtMs: row.alarm_off_at?.getTime() },
    opensAtMs: row.begins.getTime(),
    closesAtMs: closes_at instanceof Date ? closes_at.getTime() : undefined,
  };
}

// Books of the windows that are current by the store's clock, of budgets as they are declared now. `used` orders them: a
// limit of 0 is used up by nothing. What has no beginning has gone on since it was opened.
const CURRENT = `select a.id::text, a.budget, a.session, a.key, a.unit, coalesce(b.hard, a.hard) as hard,
    coalesce(a.own_limit, b.limit_micros, 0)::text as most, a.own_limit::text, a.held::text, a.posted::text, a.overage::text,
    a.frozen, a.frozen_at, a.frozen_by, a.frozen_why, a.freeze_reason, w.name as freezer,
    a.alarm::text, coalesce(cardinality(a.history), 0) as windows_before, a.alarm_off_at,
    case when a.opens_at = '-infinity' then a.opened_at else a.opens_at end as begins, a.closes_at,
    round((a.held::numeric + a.posted + a.overage) / greatest(coalesce(a.own_limit, b.limit_micros, 0), 1), 12) as used
  from account a
  left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
  left join caller w on w.tenant = a.tenant and w.id = a.frozen_by
 where a.tenant = $1 and a.opens_at <= now() and now() < a.closes_at and (a.budget is null or b.name is not null)`;

/** A key as Postgres can take it apart: of characters only the one with the number 0 is in no text of its. */
const KEY = `replace(c.key, '\\u0000', '\\ufffd')::jsonb`;

function accountsQuery({ budget, session, keyPrefix, usedMin, after, most }: AccountQuery, tenant: string) {
  const text = `select *, used::text from (${CURRENT}) c
    where c.budget is not distinct from $2 and ($3::uuid is null or c.session = $3)
      and ($4 = '' or exists (
        select from jsonb_each_text(case when c.key like '{%' then coalesce(${KEY} -> 'per', '{}') || (${KEY} - 'per')
            else '{}' end) v where starts_with(v.value, $4)))
      and c.used * 10000 >= $5 and ($6::numeric is null or (c.used, c.id::bigint) < ($6::numeric, $7::bigint))
    order by c.used desc, c.id::bigint desc limit $8`;
  const place = after ? [after.used, String(after.id)] : [null, null];
  return { text, values: [tenant, budget ?? null, session ?? null, keyPrefix, usedMin, ...place, most] };
}

const standingsText = (
  fullest: string,
) => `select b.name, b.frozen, b.frozen_at, b.frozen_by, b.freeze_reason, w.name as freezer,
    coalesce(f.accounts, 0)::text as accounts, ${fullest} as fullest
  from budget b left join caller w on w.tenant = b.tenant and w.id = b.frozen_by
  left join (
    select * from (
      select c.*, c.used::text as place, row_number() over (partition by c.budget order by c.used desc, c.id::bigint desc) as at,
          count(*) over (partition by c.budget) as accounts
        from (${CURRENT} and a.budget = any($2)) c
    ) ranked where at = 1
  ) f on f.budget = b.name
 where b.tenant = $1 and b.name = any($2)
 order by b.name`;

const STANDING = standingsText("to_jsonb(f)");
// Of many, without the keys, which may be long.
const STANDINGS = standingsText('to_jsonb(f) || \'{"key": ""}\'');

type StandingRow = FreezeColumns & {
  readonly name: string;
  readonly accounts: string;
  readonly fullest: Readonly<Record<string, unknown>> | null;
};

const dateOf = (value: unknown) => (typeof value === "string" ? new Date(value) : null);

/** A row that came as JSON. */
function accountOfJson(row: Readonly<Record<string, unknown>>): AccountBooks {
  const closes = row.closes_at === "infinity" ? Number.POSITIVE_INFINITY : dateOf(row.closes_at);
  return accountFrom({
    ...(row as unknown as AccountColumns),
    ...{ begins: dateOf(row.begins) as Date, closes_at: closes as Date | number },
    ...{ frozen_at: dateOf(row.frozen_at), alarm_off_at: dateOf(row.alarm_off_at) },
  });
}

const standingFrom = (row: StandingRow): BudgetStanding => ({
  budget: row.name,
  freeze: freezeFrom(row),
  accounts: Number(row.accounts),
  fullest: row.fullest ? accountOfJson(row.fullest) : undefined,
});

interface HoldRow {
  readonly id: string;
  readonly decision: string;
  readonly session: string;
  readonly session_day: string;
  readonly agent: string;
  readonly pending: boolean;
  readonly taken_at: Date;
  readonly expires_at: Date;
  readonly parts: readonly { account: string; budget: string | null; unit: string; amount: string }[];
}

const HOLDS = `select h.id, h.decision, h.session, h.session_day::text as session_day, coalesce(s.agent, '') as agent,
    h.pending, h.taken_at, h.expires_at,
    (select coalesce(jsonb_agg(jsonb_build_object('account', a.id::text, 'budget', a.budget, 'unit', a.unit,
         'amount', p.amount::text) order by p.at), '[]')
       from unnest(h.accounts, h.amounts) with ordinality as p (account, amount, at) join account a on a.id = p.account) as parts
  from hold h left join session s on s.tenant = h.tenant and s.id = h.session
 where h.tenant = $1`;

function holdFrom(row: HoldRow): HeldCall {
  const { id, decision, session, agent, pending } = row;
  return {
    ...{ id, decision, session, sessionDay: row.session_day, agent, pending },
    ...{ sinceMs: row.taken_at.getTime(), untilMs: row.expires_at.getTime() },
    amounts: row.parts.map(({ account, budget, unit, amount }) => ({
      ...{ account: BigInt(account), budget: budget ?? undefined, unit, micros: BigInt(amount) },
    })),
  };
}

// One statement, so one snapshot: a record and what it does to accounts are seen together or not at all. What records did
// that were dropped is carried forward in the account.
const VERIFY = `with moves as (
    select m.account, sum(m.held) as held, sum(m.posted) as posted, sum(m.overage) as overage
      from record r, unnest(r.accounts, r.held, r.posted, r.overage) as m (account, held, posted, overage)
     where r.tenant = $1 and r.accounts is not null group by m.account
  ), open as (
    select p.account, sum(p.amount) as held from hold h, unnest(h.accounts, h.amounts) as p (account, amount)
     where h.tenant = $1 group by p.account
  ), compared as (
    select a.id, a.budget, a.key, a.unit, v.what, v.books, v.records
      from account a left join moves m on m.account = a.id left join open o on o.account = a.id,
        lateral (values ('held', a.held::numeric, a.carried_held + coalesce(m.held, 0)),
          ('spent', a.posted::numeric, a.carried_posted + coalesce(m.posted, 0)),
          ('overage', a.overage::numeric, a.carried_overage + coalesce(m.overage, 0)), ('holds', a.held::numeric, coalesce(o.held, 0)))
          as v (what, books, records)
     where a.tenant = $1
  ), differing as (
    select * from compared where books <> records order by id, what
  )
  select (select count(*) from account a where a.tenant = $1)::text as accounts,
    (select count(*) from record r where r.tenant = $1 and r.accounts is not null)::text as records,
    (select count(*) from differing)::text as found,
    (select coalesce(jsonb_agg(jsonb_build_object('account', d.id::text, 'budget', d.budget, 'key', d.key, 'unit', d.unit,
        'column', d.what, 'books', d.books::text, 'records', d.records::text)), '[]')
       from (select * from differing limit $2) d) as differences`;

interface VerifyRow {
  readonly accounts: string;
  readonly records: string;
  readonly found: string;
  readonly differences: readonly {
    account: string;
    budget: string | null;
    key: string;
    unit: string;
    column: BookDifference["column"];
    books: string;
    records: string;
  }[];
}

/** Rows that are taken apart in one turn of the event loop. */
const AT_ONCE = 50;

/** What operators read of budgets, from Postgres. */
export function createBudgetBooksStore(pool: Pool): BudgetBooksStore {
  const standingsBy = async (text: string, tenant: string, budgets: readonly string[]) =>
    mapInSlices(await documentRows<StandingRow>(pool, text, [tenant, budgets]), turnOfTheLoop, standingFrom, AT_ONCE);
  const accounts = async (where: string, values: readonly unknown[]) =>
    (await pool.query<AccountColumns>(`${CURRENT} ${where}`, [...values])).rows;
  const holds = async (where: string, values: readonly unknown[]) =>
    mapInSlices(await documentRows<HoldRow>(pool, `${HOLDS} ${where}`, values), turnOfTheLoop, holdFrom, AT_ONCE);
  return {
    standings: (tenant, budgets) => standingsBy(STANDINGS, tenant, budgets),
    standing: async (tenant, budget) => (await standingsBy(STANDING, tenant, [budget]))[0] ?? null,
    async accounts(tenant, query): Promise<PlacedAccount[]> {
      const { rows } = await pool.query<AccountColumns>(accountsQuery(query, tenant));
      return rows.map((row) => ({ ...accountFrom(row), place: { used: row.used, id: BigInt(row.id) } }));
    },
    async account(tenant, id) {
      const [row] = await accounts("and a.id = $2", [tenant, String(id)]);
      return row ? accountFrom(row) : null;
    },
    async over(tenant, of, most) {
      const [column, value] = "budget" in of ? ["budget", of.budget] : ["id", String(of.account)];
      const rows = await accounts(
        `and a.${column} = $2 and a.held::numeric + a.posted + a.overage > coalesce(a.own_limit, b.limit_micros, 0)
          order by used desc, a.id limit $3`,
        [tenant, value, most],
      );
      const { rows: counted } = await pool.query<{ count: string }>(
        `select count(*)::text as count from (${CURRENT}) c
          where c.${column} = $2 and c.held::numeric + c.posted::numeric + c.overage::numeric > c.most::bigint`,
        [tenant, value],
      );
      return { count: Number(counted[0]?.count ?? 0), accounts: rows.map(accountFrom) };
    },
    holds: (tenant, { budget, session, agent, pending, olderThanMs, after, most }) =>
      holds(
        `and ($2::text is null or exists (select from account a where a.id = any(h.accounts) and a.budget = $2))
           and ($3::uuid is null or h.session = $3) and ($4::text is null or s.agent = $4)
           and ($5::boolean is null or h.pending = $5) and h.taken_at <= now() - $6 * interval '1 millisecond'
           and ($7::uuid is null or h.id > $7) order by h.id limit $8`,
        [tenant, budget ?? null, session ?? null, agent ?? null, pending ?? null, olderThanMs, after ?? null, most],
      ),
    hold: async (tenant, id) => (await holds("and h.id = $2", [tenant, id]))[0] ?? null,
    async verify(tenant, most) {
      const { rows } = await pool.query<VerifyRow>(VERIFY, [tenant, most]);
      const [row] = rows;
      return {
        ...{ accounts: BigInt(row?.accounts ?? 0), records: BigInt(row?.records ?? 0), found: BigInt(row?.found ?? 0) },
        differences: (row?.differences ?? []).map(({ account, budget, books, records, ...rest }) => ({
          ...{ ...rest, account: BigInt(account), budget: budget ?? undefined },
          ...{ books: BigInt(books), records: BigInt(records) },
        })),
      };
    },
  };
}
