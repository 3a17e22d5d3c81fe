import type { QueryArrayConfig } from "pg";
import { accountTakesMax } from "../../../../services/pdp/src/foundation/balance.ts";

/** What one call asks of its accounts: `$18` and `$19` are arrays of one text each, which is an array itself. */
const asked = "unnest(($18::text[])[1]::bigint[], ($19::text[])[1]::bigint[]) as asked (account, held)";

/**
 * One call as the classic way commits it, in one round trip: its four rows are locked, in the order of their ids so that
 * no two calls wait for each other in a circle; it is looked whether each has enough that is free; then its key, its
 * record and its hold are inserted and what it holds is added. The transaction is the statement's own: it ends, and its
 * locks with it, once its flush is on the disk.
 *
 * Its answer is that of the product's statement (services/pdp/src/stores/charged-statement.ts). What a batch needs is left
 * out of it: running sums, numbering rows, telling one record's accounts from another's.
 */
const text = `
with fence as materialized (
  select nextval('record_ord') as ord from writer where writer = $1 and alive for no key update
), locked as materialized (
  select a.id, a.tenant, a.held, a.posted, a.overage, a.ceiling, a.alarm,
      coalesce(a.own_limit, b.limit_micros, 0) as most, coalesce(b.hard, a.hard) as hard,
      a.frozen or coalesce(b.frozen, false) as frozen,
      (a.budget is null or b.name is not null) and a.opens_at <= now() and now() < a.closes_at as open
  from account a left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
  where exists (select from fence) and a.id = any(($18::text[])[1]::bigint[]) order by a.id for update of a
), looked as materialized (
  select l.*, asked.account, asked.held as more, case
      when l.id is null or l.tenant <> ($4::text[])[1] or not l.open then 'closed'
      when l.frozen then 'frozen'
      when l.hard and asked.held > 0 and asked.held > least(l.most, l.alarm) - l.held::numeric - l.posted - l.overage then 'tight'
      when not l.hard and asked.held > 0 and asked.held > ${accountTakesMax} - l.held::numeric - l.posted - l.overage then 'full'
    end as why
  from ${asked} left join locked l on l.id = asked.account
), called as (
  insert into call (day, tenant, session, key, id, digest)
  select ($3::date[])[1], ($4::text[])[1], ($5::uuid[])[1], ($6::bytea[])[1], ($7::uuid[])[1], ($8::bytea[])[1]
  from fence
  where ($11::bigint[])[1] >= coalesce((select r.security from revision r where r.tenant = ($4::text[])[1]), 0)
    and not exists (select from looked where why is not null)
  on conflict (day, tenant, session, key) do nothing
  returning id
), recorded as (
  insert into record (day, writer, n, ord, id, tenant, session, kind, subject, expires_at, digest, body, aside, run, trail,
      accounts, held)
  select (now() at time zone 'utc')::date, $1, $2::bigint + 1, fence.ord, called.id, ($4::text[])[1], ($5::uuid[])[1],
      ($9::text[])[1], ($10::uuid[])[1], ($12::timestamptz[])[1], ($13::bytea[])[1], ($14::bytea[])[1],
      ($15::bytea[])[1], ($16::uuid[])[1], ($17::text[])[1], ($18::text[])[1]::bigint[], ($19::text[])[1]::bigint[]
  from fence, called
  returning n, id
), moved as (
  update account a set held = l.held + l.more, hard = l.hard,
    ceiling = greatest(l.most, case when l.hard then least(l.ceiling, l.held + l.more + l.posted) else l.held + l.more + l.posted end)
  from looked l
  where a.id = l.id and exists (select from recorded)
  returning a.id, a.held
), taken as (
  insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
  select id, ($4::text[])[1], id, ($5::uuid[])[1], ($3::date[])[1], ($18::text[])[1]::bigint[], ($19::text[])[1]::bigint[],
      ($20::text[])[1] = 'take_pending', ($21::timestamptz[])[1]
  from recorded
)
select (select count(*) from fence)::int, (select count(*) from recorded)::int, (select n from recorded),
  case when not exists (select from recorded) then array[]::text[] end,
  (select string_agg('1,' || account || ',' || why, ';') from looked where why is not null),
  (select string_agg(l.id || ',' || l.most || ',' || coalesce(m.held, l.held) || ',' || l.posted || ',' || l.overage || ','
      || l.frozen::int || ',' || coalesce(l.alarm::text, ''), ';')
    from looked l left join moved m on m.id = l.id where l.id is not null)
`;

/** Of the product's parameters those that a record has which takes a hold and does nothing else. */
const used = [...Array(19).keys(), 22, 25];

/** The product's query for a batch of one record that takes a hold and does nothing else, by the statement for one call. */
export function lockingQuery({ values = [], rowMode }: QueryArrayConfig): QueryArrayConfig {
  return { name: "lock-one", text, rowMode, values: used.map((at) => values[at]) };
}
