-- oldest-build: 0003
-- A budget that is kept by what tools begin to redact keeps its books: who asks by what is marked finds, in the window that is
-- open, the account of the key as it stood before.

create function remit_key_digest(key text) returns bytea
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(key, 'UTF8'))
$$;
revoke execute on function remit_key_digest(text) from public;
grant execute on function remit_key_digest(text) to remit_runtime;
create index account_key_digest on account (remit_key_digest(key)) where budget is not null and key <> '';

-- As `remit_open_bounded_accounts`. `befores`: digests of what the key of the name at a place (from 1) may have been before
-- something in it was redacted. Of the accounts under all these keys in the window of now the one that was opened first is
-- charged, and none is opened where there is one.
create function remit_open_renamed_accounts(owner text, budgets text[], keys text[], sessions text[], at_most integer,
    places bigint[], befores bytea[])
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean, history bigint[], alarm bigint)
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  kept record;
  found_places bigint[];
  found_accounts bigint[];
  those text[];
begin
  -- Whoever opens an account of a crowd holds its lock, so what is looked for is there, or is not opened beside this. All are
  -- taken here, in the order in which `remit_open_bounded_accounts` does.
  for kept in
    select distinct remit_account_instance(owner, b.name, b.series, n.session, extract(epoch from w.opens_at)::text) as crowd
      from unnest(budgets, keys, sessions) as n (budget, key, session)
      join budget b on b.tenant = owner and b.name = n.budget and b.document #> '{spec,per}' is not null
      cross join lateral remit_window(b.document #>> '{spec,window}', coalesce(b.document #>> '{spec,timeZone}', 'UTC'), now()) w
     where not exists (select from account a where a.instance = remit_account_instance(owner, b.name, b.series, n.key)
        and a.opens_at <= now() and now() < a.closes_at)
     order by crowd
  loop
    perform pg_advisory_xact_lock(hashtextextended('remit.crowd/' || encode(kept.crowd, 'hex'), 0));
  end loop;
  select array_agg(f.place), array_agg(f.account) into found_places, found_accounts from (
    select distinct on (q.place) q.place, a.id as account
      from unnest(places, befores) as q (place, digest)
      join budget b on b.tenant = owner and b.name = budgets[q.place]
      join account a on remit_key_digest(a.key) = q.digest and a.budget is not null and a.key <> ''
        and a.tenant = owner and a.budget = b.name and a.series = b.series and a.opens_at <= now() and now() < a.closes_at
      left join account m on m.instance = remit_account_instance(owner, b.name, b.series, keys[q.place])
        and m.opens_at <= now() and now() < m.closes_at
     where m.id is null or a.id < m.id
     order by q.place, a.id
  ) f;
  those := array(select case when n.i = any(coalesce(found_places, '{}')) then '' else n.budget end
    from unnest(budgets) with ordinality as n (budget, i) order by n.i);
  return query
    select * from remit_open_bounded_accounts(owner, those, keys, sessions, at_most)
    union all
    select f.place::integer, a.id, a.unit, b.hard, a.opens_at, a.closes_at, coalesce(a.own_limit, b.limit_micros), a.held, a.posted,
        a.overage, a.frozen or b.frozen, a.history, a.alarm
      from unnest(found_places, found_accounts) as f (place, account)
      join account a on a.id = f.account
      join budget b on b.tenant = owner and b.name = a.budget;
end
$$;
revoke execute on function remit_open_renamed_accounts(text, text[], text[], text[], integer, bigint[], bytea[]) from public;
grant execute on function remit_open_renamed_accounts(text, text[], text[], text[], integer, bigint[], bytea[]) to remit_runtime;
