-- oldest-build: 0003
-- A budget that keeps accounts by what its calls say opens no more of them in one window than it may.

-- Accounts of one crowd count against each other: of a budget's keys in one window, and where each session has its own, of
-- one session. `nth` of them it is, in the order in which they were opened.
alter table account
  add column crowd bytea check (octet_length(crowd) = 32),
  add column nth integer check (nth > 0);
create unique index account_crowd on account (crowd, nth) where nth is not null;

-- As `remit_open_watched_accounts`. Where a budget has `at_most` accounts of a crowd, one more is not opened: it has the number
-- 0, and nothing else. `sessions`: of a name whose account is a session's own, that session; else empty.
create function remit_open_bounded_accounts(owner text, budgets text[], keys text[], sessions text[], at_most integer)
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean, history bigint[], alarm bigint)
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  kept record;
  missing bytea[];
  last integer;
  full_ones text[] := '{}';
  those text[];
begin
  for kept in
    select c.crowd, c.name, array_agg(c.key) as keys, array_agg(c.instance) as instances from (
      select distinct b.name, n.key, remit_account_instance(owner, b.name, b.series, n.key) as instance,
          remit_account_instance(owner, b.name, b.series, n.session, extract(epoch from w.opens_at)::text) as crowd
        from unnest(budgets, keys, sessions) as n (budget, key, session)
        join budget b on b.tenant = owner and b.name = n.budget and b.document #> '{spec,per}' is not null
        cross join lateral remit_window(b.document #>> '{spec,window}', coalesce(b.document #>> '{spec,timeZone}', 'UTC'), now()) w
    ) c
     where not exists (select from account a where a.instance = c.instance and a.opens_at <= now() and now() < a.closes_at)
     group by c.crowd, c.name order by c.crowd
  loop
    -- One at a time, always in this order, and before any of its accounts: so the number is right, and nobody waits in a ring.
    perform pg_advisory_xact_lock(hashtextextended('remit.crowd/' || encode(kept.crowd, 'hex'), 0));
    missing := array(select m.instance from unnest(kept.instances) as m (instance) where not exists (
      select from account a where a.instance = m.instance and a.opens_at <= now() and now() < a.closes_at));
    select coalesce(max(a.nth), 0) into last from account a where a.crowd = kept.crowd and a.nth is not null;
    if cardinality(missing) > 0 and last + cardinality(missing) > at_most then
      full_ones := full_ones || kept.name;
      continue;
    end if;
    perform remit_open_missing_accounts(owner, array_fill(kept.name, array[cardinality(kept.keys)]), kept.keys, now());
    update account a set crowd = kept.crowd, nth = last + o.place from (
      select a.id, row_number() over (order by a.id) as place from account a
       where a.instance = any(missing) and a.opens_at <= now() and now() < a.closes_at and a.nth is null
    ) o where a.id = o.id;
  end loop;
  those := array(select case when n.budget = any(full_ones) and not exists (
      select from budget b join account a on a.instance = remit_account_instance(owner, b.name, b.series, n.key)
         and a.opens_at <= now() and now() < a.closes_at where b.tenant = owner and b.name = n.budget) then '' else n.budget end
    from unnest(budgets, keys) with ordinality as n (budget, key, i) order by n.i);
  return query
    select * from remit_open_watched_accounts(owner, those, keys)
    union all
    select n.i::integer, 0::bigint, null, null, null, null, null, null, null, null, null, null, null
      from unnest(those, budgets) with ordinality as n (budget, wanted, i) where n.budget <> n.wanted;
end
$$;
revoke execute on function remit_open_bounded_accounts(text, text[], text[], text[], integer) from public;
grant execute on function remit_open_bounded_accounts(text, text[], text[], text[], integer) to remit_runtime;
