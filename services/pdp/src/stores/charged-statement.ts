import type { QueryArrayConfig } from "pg";
import { accountMax, accountTakesMax } from "../foundation/balance.ts";
import type { NewRecord } from "../ledger/index.ts";
import { int8Array, textArray, timestamptzArray, uuidArray } from "./binary-array.ts";
import { type Charged, chargesOf } from "./charge-columns.ts";
import { recordParameters } from "./ledger-statement.ts";

/** What the records of a batch do to holds: take new ones at most, end some, or hand some over and give some more time. */
type Steps = "taking" | "ending" | "changing";

/**
 * The commit of a batch that charges budgets: the statement of `ledger-statement.ts`, and in it, after the writer and
 * before the keys, in this order:
 *
 * - the holds that are to be ended, handed over or made longer are locked, by id. A record whose hold is not where it
 *   should be is left out. So are, of those of one hold, all but the first: they come again when it is known what became
 *   of that;
 * - the accounts are locked, by id. A record is left out when one of its accounts is not there, or, where it takes, is
 *   not open by the store's clock, is frozen, or has not enough that is free, or not enough before it is out of the
 *   ordinary, beside what was before it in the batch. One that would not fit alone counts for nobody. Of a soft account, and of what
 *   comes as overage, enough is free for as long as the sum of all that the account has stays well within 64 bits;
 * - the rest is inserted, and only what was inserted moves accounts and holds.
 *
 * What is free is what stands in the rows that were locked: whoever waited for them sees what others left of them. They are
 * written from what was read under the lock and not from themselves: an UPDATE of a row that changed while this waited
 * is first tried, and its CHECKs asked, with the row as the statement's snapshot has it. The
 * limit and the freeze of a budget are those of the statement's snapshot, so whatever was acknowledged before it is obeyed.
 */
const statement = (waiting: "wait" | "skip", steps: Steps, growing: boolean) => {
  const locking = waiting === "wait" ? "" : "skip locked";
  const absent = waiting === "wait" ? "closed" : "locked";
  const ifStepping = (text: string) => (steps === "taking" ? "" : text);
  const ifChanging = (text: string) => (steps === "changing" ? text : "");
  const ifGrowing = (text: string) => (growing ? text : "");
  return `
with fence as materialized (
  select writer, nextval('record_ord') as ord from writer where writer = $1 and alive for no key update
), given as materialized (
  select day, tenant, session, key, id, request, kind, subject, expires_at, digest, body, aside, run, trail, i, fence.ord,
      accounts::bigint[], held::bigint[], posted::bigint[], overage::bigint[], freezes, step, hold, had, hold_expires
  from fence, unnest($3::date[], $4::text[], $5::uuid[], $6::bytea[], $7::uuid[], $8::bytea[], $9::text[], $10::uuid[],
      $11::bigint[], $12::timestamptz[], $13::bytea[], $14::bytea[], $15::bytea[], $16::uuid[], $17::text[], $18::text[],
      $19::text[], $20::text[], $21::text[], $22::bigint[], $23::text[], $24::uuid[], $25::uuid[], $26::timestamptz[])
      with ordinality
    as given (day, tenant, session, key, id, request, kind, subject, judged_under, expires_at, digest, body, aside, run,
      trail, accounts, held, posted, overage, freezes, step, hold, had, hold_expires, i)
  where given.judged_under >= coalesce((select r.security from revision r where r.tenant = given.tenant), 0)
${ifStepping(`), kept as materialized (
  select h.id, h.tenant, h.decision, h.expires_at from hold h
  where h.id = any(array(select hold from given where hold is not null)) order by h.id for update of h ${locking}
), gone as materialized (
  select i, case when s.lacks then 'gone' else 'twin' end as why from (
    select g.i, k.id is null as lacks, row_number() over (partition by g.hold, k.id is null order by g.i) as turn
    from given g left join kept k on k.id = g.hold and k.tenant = g.tenant and k.decision = g.had
      and (g.step <> 'end_overdue' or k.expires_at <= now())
    where g.hold is not null
  ) s where s.lacks or s.turn > 1`)}
), wanted as materialized (
  select g.i, g.tenant, g.step in ('take', 'take_pending', 'adopt', 'adopt_pending') and w.held >= 0 as asks,
      w.account, w.held, coalesce(w.posted, 0) as posted, coalesce(w.overage, 0) as overage, g.freezes = w.account as freezes
  from given g, unnest(g.accounts, g.held, g.posted, g.overage) as w (account, held, posted, overage)
  ${ifStepping("where g.i not in (select i from gone)")}
), locked as materialized (
  select a.id, a.tenant, a.held, a.posted, a.overage, a.ceiling, a.alarm, a.frozen as own_frozen, a.frozen_at,
      a.frozen_why,
      coalesce(a.own_limit, b.limit_micros, 0) as most, coalesce(b.hard, a.hard) as hard,
      a.frozen or coalesce(b.frozen, false) as frozen,
      (a.budget is null or b.name is not null) and a.opens_at <= now() and now() < a.closes_at as open
  from account a left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
  where a.id = any(array(select account from wanted)) order by a.id for no key update of a ${locking}
), barred as materialized (
  select i, account, why from (
    select w.i, w.account, case when l.id is null then '${absent}' when l.tenant <> w.tenant then 'closed'
        when w.asks and not l.open then 'closed' when w.asks and l.frozen then 'frozen' end as why
    from wanted w left join locked l on l.id = w.account
  ) s where why is not null
), tight as materialized (
  select i, account, case when hard then 'tight' else 'full' end as why from (
    select w.i, w.account, f.hard, w.held > f.free or sum(case when w.held <= f.free then w.held else 0 end)
        over (partition by w.account order by w.i) > f.free as short
    from wanted w join (
      select id, hard, case when hard then least(most, alarm) else ${accountTakesMax} end - held::numeric - posted - overage as free from locked
    ) f on f.id = w.account
    where w.asks and w.held > 0 and w.i not in (select i from barred)
  ) s where short
${ifGrowing(`), brimming as materialized (
  select i, account, 'full' as why from (
    select w.i, w.account, w.overage > f.room or sum(case when w.overage <= f.room then w.overage else 0 end)
        over (partition by w.account order by w.i) > f.room as short
    from wanted w join (
      select id, ${accountMax} - greatest(held::numeric + posted + overage, ${accountTakesMax}) as room from locked
    ) f on f.id = w.account
    where w.overage > 0 and w.i not in (select i from barred)
  ) s where short`)}
), left_out as materialized (
  select i, account, why from barred union all select i, account, why from tight
  ${ifGrowing("union all select i, account, why from brimming")}
  ${ifStepping("union all select i, 0, why from gone")}
), called as (
  insert into call (day, tenant, session, key, id, digest)
  select day, tenant, session, key, id, request from given where i not in (select i from left_out)
  order by day, tenant, session, key, i
  on conflict (day, tenant, session, key) do nothing
  returning id
), recorded as (
  insert into record (day, writer, n, ord, id, tenant, session, kind, subject, expires_at, digest, body, aside, run, trail,
      accounts, held, posted, overage)
  select (now() at time zone 'utc')::date, $1, $2 + row_number() over (order by i), ord, id, tenant, session, kind,
      subject, expires_at, digest, body, aside, run, trail, accounts, held, posted, overage
  from given join called using (id)
  returning n, id
), moved as (
  update account a set held = d.held, posted = d.posted, overage = d.overage, hard = d.hard,
    ceiling = greatest(d.most, case when d.hard then least(d.ceiling, d.held + d.posted) else d.held + d.posted end),
    frozen = d.own_frozen or d.freezes, frozen_at = case when d.freezes and not d.own_frozen then now() else d.frozen_at end,
    frozen_why = case when d.freezes and not d.own_frozen then 'overage' else d.frozen_why end
  from (
    select l.id, l.most, l.hard, l.ceiling, l.own_frozen, l.frozen_at, l.frozen_why, m.freezes,
        l.held + m.held as held, l.posted + m.posted as posted, l.overage + m.overage as overage
    from locked l join (
      select w.account, sum(w.held)::bigint as held, sum(w.posted)::bigint as posted, sum(w.overage)::bigint as overage,
          coalesce(bool_or(w.freezes), false) as freezes
      from recorded join given g using (id) join wanted w using (i) group by w.account
    ) m on m.account = l.id
  ) d
  where a.id = d.id
  returning a.id, a.held, a.posted, a.overage, a.frozen
), taken as (
  insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
  select id, tenant, id, session, day, accounts, held, step = 'take_pending', hold_expires
  from given join recorded using (id) where step in ('take', 'take_pending')
${ifChanging(`), kept_on as (
  update hold h set expires_at = g.hold_expires,
    decision = case when g.step = 'extend' then h.decision else g.id end,
    pending = case when g.step = 'extend' then h.pending else g.step = 'adopt_pending' end,
    (accounts, amounts) = (
      select case when g.step = 'extend' then h.accounts else coalesce(array_agg(s.account order by s.account), '{}') end,
          case when g.step = 'extend' then h.amounts else coalesce(array_agg(s.amount order by s.account), '{}') end
      from (
        select p.account, sum(p.amount)::bigint as amount from (
          select * from unnest(h.accounts, h.amounts) as x (account, amount)
          union all select * from unnest(g.accounts, g.held) as x (account, amount)
        ) p group by p.account having sum(p.amount) <> 0
      ) s)
  from given g join recorded using (id)
  where h.id = g.hold and g.step in ('adopt', 'adopt_pending', 'extend')`)}
${ifStepping(`), ended as (
  delete from hold h using given g join recorded using (id) where h.id = g.hold and g.step in ('end', 'end_overdue')`)}
), told as (
  select count(*)::int as inserted, max(n) as greatest from recorded
)
select (select count(*) from fence)::int, told.inserted, told.greatest,
  case when told.inserted < (select count(*) from unnest($7::uuid[]))
    then coalesce((select array_agg(id::text order by n) from recorded), '{}') end,
  (select string_agg(i || ',' || account || ',' || why, ';') from left_out),
  (select string_agg(l.id || ',' || l.most || ',' || coalesce(m.held, l.held) || ',' || coalesce(m.posted, l.posted) || ','
      || coalesce(m.overage, l.overage) || ',' || (l.frozen or coalesce(m.frozen, false))::int || ',' || coalesce(l.alarm::text, ''), ';')
    from locked l left join moved m on m.id = l.id)
from told`;
};

const statements = (waiting: "wait" | "skip") => ({
  taking: statement(waiting, "taking", false),
  ending: statement(waiting, "ending", false),
  changing: statement(waiting, "changing", false),
  "taking-growing": statement(waiting, "taking", true),
  "ending-growing": statement(waiting, "ending", true),
  "changing-growing": statement(waiting, "changing", true),
});

/**
 * Most batches of decisions take holds and step on none, most with reports among them end holds and change none, and hardly
 * any spends beyond them: theirs does without what asks for that.
 */
const COMMIT = { wait: statements("wait"), skip: statements("skip") } as const;

/** What steps on a hold and does not end it hands it over or gives it more time: so says the name of its step. */
const ENDS: readonly (string | undefined)[] = ["end", "end_overdue"];

function stepsOf(charges: readonly Charged[]): Steps {
  const stepping = charges.filter(({ hold }) => hold !== undefined);
  if (stepping.length === 0) return "taking";
  return stepping.every(({ step }) => ENDS.includes(step)) ? "ending" : "changing";
}

/**
 * The commit of a batch whose ids are distinct and of which some charge budgets. `skip`: accounts and holds that something
 * else has locked are not waited for; the records that need them are left out. Throws on a record that has no such form.
 */
export function chargedQuery(
  writer: bigint,
  base: bigint,
  batch: readonly NewRecord[],
  waiting: "wait" | "skip" = "wait",
): QueryArrayConfig {
  const charges = chargesOf(batch);
  const steps = stepsOf(charges);
  const kind = charges.some(({ overage }) => overage !== undefined) ? (`${steps}-growing` as const) : steps;
  const column = <Value>(of: (charged: Charged) => Value) => charges.map(of);
  return {
    name: `ledger-charge-${waiting}-${kind}`,
    text: COMMIT[waiting][kind],
    rowMode: "array",
    values: [
      ...recordParameters(writer, base, batch),
      textArray(column(({ accounts }) => accounts)),
      textArray(column(({ held }) => held)),
      textArray(column(({ posted }) => posted)),
      textArray(column(({ overage }) => overage)),
      int8Array(column(({ freezes }) => freezes)),
      textArray(column(({ step }) => step)),
      uuidArray(column(({ hold }) => hold)),
      uuidArray(column(({ had }) => had)),
      timestamptzArray(column(({ expiresAtMs }) => expiresAtMs)),
    ],
  };
}
