import { hash } from "node:crypto";
import type { Pool, QueryArrayConfig } from "pg";
import type { Account, AccountName, Balance, BudgetLook, BudgetStore, OpenHold } from "../budgets/index.ts";
import { mapInSlices } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { byteaArray, int8Array, textArray } from "./binary-array.ts";

/** Milliseconds of a timestamp that may be infinite, as the driver reads them from an expression of seconds. */
const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

type Row = [
  ...[i: number, id: string, unit: string, hard: boolean, opensAtMs: number, closesAtMs: number],
  ...[most: string, held: string, posted: string, overage: string, frozen: boolean],
  ...[history: string[] | null, alarm: string | null, full?: boolean],
];

/** What a statement over names answers; `more`: what it takes besides. A number of 0: its budget opens no more. */
async function accountsBy(
  pool: Pool,
  name: string,
  text: string,
  tenant: string,
  names: readonly AccountName[],
  more: readonly unknown[] = [],
) {
  const { rows } = await pool.query<Row>({
    ...{ name, text, rowMode: "array" },
    values: [tenant, textArray(names.map(({ budget }) => budget)), textArray(names.map(({ key }) => key)), ...more],
  });
  const accounts: (Account | null)[] = names.map(() => null);
  for (const [i, id, unit, hard, opensAtMs, closesAtMs, limit, held, posted, overage, frozen, ...usual] of rows) {
    const name = names[i - 1];
    if (name && id === "0") accounts[i - 1] = notOpened(name);
    if (!name || id === "0") continue;
    const account = BigInt(id);
    const amounts = { limit: BigInt(limit), held: BigInt(held), posted: BigInt(posted), overage: BigInt(overage) };
    const [history, alarm, full] = usual;
    const balance = { account, ...amounts, frozen, ...(alarm !== null && { alarm: BigInt(alarm) }) };
    const { before: _, ...own } = name;
    const told = { ...(history && { history: history.map(BigInt) }), ...(full && { full }) };
    accounts[i - 1] = { ...own, id: account, unit, hard, opensAtMs, closesAtMs, balance, ...told };
  }
  return accounts;
}

/** In the place of one that its budget may not open any more. */
function notOpened(name: AccountName): Account {
  const balance = { account: 0n, limit: 0n, held: 0n, posted: 0n, overage: 0n, frozen: false };
  const { before: _, ...own } = name;
  return { ...own, id: 0n, unit: "", hard: true, opensAtMs: 0, closesAtMs: 0, balance, full: true };
}

const OPEN = `select i, id, unit, hard, ${ms("opens_at")}, ${ms("closes_at")}, most, held, posted, overage, frozen,
    history::text[], alarm from remit_open_bounded_accounts($1, $2, $3, $4, $5)`;

const OPEN_RENAMED = `select i, id, unit, hard, ${ms("opens_at")}, ${ms("closes_at")}, most, held, posted, overage, frozen,
    history::text[], alarm from remit_open_renamed_accounts($1, $2, $3, $4, $5, $6, $7)`;

/** Digests of what keys may have been before, each with the place of its name. */
function beforeOf(names: readonly AccountName[]) {
  const befores = names.flatMap(({ before = [] }, at) => before.map((key) => ({ place: BigInt(at + 1), key })));
  const digest = (key: string) => hash("sha256", key, "buffer");
  return [int8Array(befores.map(({ place }) => place)), byteaArray(befores.map(({ key }) => digest(key)))];
}

// Whether more was spent in a window that is over than was usual then is nobody's question any more.
const OPEN_THEN = `select i, id, unit, hard, ${ms("opens_at")}, ${ms("closes_at")}, most, held, posted, overage, frozen,
    null::text[], null::text from remit_open_accounts_then($1, $2, $3, to_timestamp($4 / 1000.0))`;

// As `remit_open_renamed_accounts` would answer them. What is not open yet has the place of its name, below 0, for its number.
const LOOK = `select n.i::int, coalesce(a.id, -n.i), b.document #>> '{spec,unit}', b.hard,
    ${ms("coalesce(a.opens_at, w.opens_at)")}, ${ms("coalesce(a.closes_at, w.closes_at)")},
    coalesce(a.own_limit, b.limit_micros), coalesce(a.held, 0), coalesce(a.posted, 0), coalesce(a.overage, 0),
    coalesce(a.frozen, false) or b.frozen, p.history::text[],
    case when a.id is null then remit_spending_alarm(b.document, b.limit_micros, p.history) else a.alarm end,
    a.id is null and b.document #> '{spec,per}' is not null and exists (select from account o where o.nth >= $5
      and o.crowd = remit_account_instance($1, b.name, b.series, n.session, extract(epoch from w.opens_at)::text))
  from unnest($2::text[], $3::text[], $4::text[]) with ordinality as n (budget, key, session, i)
  join budget b on b.tenant = $1 and b.name = n.budget
  left join lateral (
    select * from (
      select o.* from account o where o.instance = remit_account_instance($1, b.name, b.series, n.key)
      union all
      select o.* from unnest($6::bigint[], $7::bytea[]) as q (place, digest)
        join account o on remit_key_digest(o.key) = q.digest and o.budget is not null and o.key <> ''
       where q.place = n.i and o.tenant = $1 and o.budget = b.name and o.series = b.series
    ) o where o.opens_at <= now() and now() < o.closes_at order by o.id limit 1
  ) a on true
  cross join lateral remit_window(b.document #>> '{spec,window}', coalesce(b.document #>> '{spec,timeZone}', 'UTC'), now()) w
  cross join lateral (
    select case when a.id is null and b.document #> '{spec,anomaly}' is not null
      then remit_account_history(remit_account_instance($1, b.name, b.series, n.key), w.opens_at) else a.history end as history
  ) p`;

/** The limit that binds an account, whether it lets anything in, and whether its limit does. Aliases `a` and `b`. */
const BOUND = `coalesce(a.own_limit, b.limit_micros, 0) as most, a.frozen or coalesce(b.frozen, false) as frozen,
  coalesce(b.hard, a.hard) as hard`;
const OF_BUDGET = "left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series";

type BalanceRow = [string, string, string, string, string, boolean, string | null];

async function balances(pool: Pool, tenant: string, accounts: readonly bigint[]): Promise<Balance[]> {
  const { rows } = await pool.query<BalanceRow>({
    name: "budgets-balances",
    text: `select id, most, held, posted, overage, frozen, alarm
      from (select a.id, a.held, a.posted, a.overage, a.alarm, ${BOUND} from account a ${OF_BUDGET}
        where a.tenant = $1 and a.id = any($2)) s`,
    rowMode: "array",
    values: [tenant, int8Array(accounts)],
  });
  return rows.map(([id, limit, held, posted, overage, frozen, alarm]) => ({
    account: BigInt(id),
    ...(alarm !== null && { alarm: BigInt(alarm) }),
    ...{ limit: BigInt(limit), held: BigInt(held), posted: BigInt(posted), overage: BigInt(overage), frozen },
  }));
}

type HoldRow = [string, string, string, string, string, boolean, number, string[], string[], boolean[]];

/** Holds of as many accounts as a call may have that are read, and taken apart, in one turn of the event loop. */
const HOLDS_AT_ONCE = 32;

/** A hold of some thousand parts is no hold: it is read whole. */
const HOLD = `select h.id, h.tenant, h.decision, h.session, h.session_day::text, h.pending, ${ms("h.expires_at")},
    p.accounts, p.amounts, p.hard
  from hold h, lateral (
    select coalesce(array_agg(x.account::text order by x.i), '{}') as accounts,
        coalesce(array_agg(x.amount::text order by x.i), '{}') as amounts,
        coalesce(array_agg(coalesce(b.hard, a.hard) order by x.i), '{}') as hard
    from unnest(h.accounts, h.amounts) with ordinality as x (account, amount, i)
    join account a on a.id = x.account ${OF_BUDGET}
  ) p`;

function openHold([id, tenant, decision, session, sessionDay, pending, expiresAtMs, ...parts]: HoldRow): OpenHold {
  const [accounts, amounts, hard] = parts;
  return {
    ...{ id, tenant, decision, session, sessionDay, pending, expiresAtMs },
    parts: accounts.map((account, at) => ({
      account: BigInt(account),
      amount: BigInt(amounts[at] ?? 0),
      hard: hard[at] ?? true,
    })),
  };
}

const sessionsOf = (names: readonly AccountName[]) => textArray(names.map(({ session = "" }) => session));

/** Books and holds over Postgres. They are changed by the ledger's records alone; see `charged-statement.ts`. */
export function createBudgetStore(pool: Pool): BudgetStore & BudgetLook {
  return {
    openAccounts(tenant, names) {
      const bound = [sessionsOf(names), limits.budgetAccountsOpenMax];
      if (names.every(({ before }) => before === undefined)) {
        return accountsBy(pool, "budgets-open", OPEN, tenant, names, bound);
      }
      return accountsBy(pool, "budgets-open-renamed", OPEN_RENAMED, tenant, names, [...bound, ...beforeOf(names)]);
    },
    openAccountsThen: (tenant, names, atMs) => accountsBy(pool, "budgets-open-then", OPEN_THEN, tenant, names, [atMs]),
    lookAt: (tenant, names) =>
      accountsBy(pool, "budgets-look", LOOK, tenant, names, [
        ...[sessionsOf(names), limits.budgetAccountsOpenMax],
        ...beforeOf(names),
      ]),
    balances: (tenant, accounts) => balances(pool, tenant, accounts),
    async overdueHolds(limit) {
      // `rows` is the driver's, and missing in its types: so many are little work at a time.
      const query: QueryArrayConfig & { readonly rows: number } = {
        name: "budgets-overdue",
        text: `${HOLD} where h.expires_at <= now() order by h.expires_at, h.id limit $1`,
        rowMode: "array",
        values: [limit],
        rows: HOLDS_AT_ONCE,
      };
      const { rows } = await pool.query<HoldRow>(query);
      return mapInSlices(rows, turnOfTheLoop, openHold, HOLDS_AT_ONCE);
    },
  };
}
