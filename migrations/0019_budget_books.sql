-- oldest-build: 0003
-- What budgets hold: their books, and what is held of them. Both change in the very statement that records why.

-- A decimal of at most six digits after the point, in millionths; null for what is none or is more than 2^61 of them.
create function remit_micros(value text) returns bigint
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select case when value ~ '^(0|[1-9][0-9]{0,12})([.][0-9]{1,6})?$' and value::numeric * 1000000 <= 2305843009213693952
    then (value::numeric * 1000000)::bigint end
$$;

-- `series`: what of a budget can not change without its books being other books. A limit that cannot be read lets nothing in.
alter table budget
  add column limit_micros bigint generated always as (coalesce(remit_micros(document #>> '{spec,limit}'), 0)) stored,
  add column hard boolean generated always as (document #>> '{spec,enforcement}' is distinct from 'soft') stored,
  add column series text generated always as (
    coalesce(document #>> '{spec,unit}', '') || ' ' || coalesce(document #>> '{spec,window}', '')
    || ' ' || coalesce(document #>> '{spec,timeZone}', 'UTC') || ' ' || coalesce((document #> '{spec,owner}')::text, '')
    || ' ' || coalesce((document #> '{spec,per}')::text, '')) stored,
  add column frozen boolean not null default false;
grant update (frozen) on budget to remit_runtime;

-- The books of a budget for one key and one window, or of what a session was given for itself (then `budget` is null).
create table account (
  id bigint generated always as identity primary key,
  tenant text not null references tenant (id),
  budget text,
  series text,
  -- Canonical JSON of the values that it is kept for; empty where its budget has a single one.
  key text not null default '' check (octet_length(key) <= 8192),
  session uuid,
  unit text not null,
  -- SHA-256 over what it is of: (tenant, budget, series, key), or (tenant, session, unit).
  instance bytea not null check (octet_length(instance) = 32),
  opens_at timestamptz not null,
  closes_at timestamptz not null,
  -- Binds instead of the budget's.
  own_limit bigint check (own_limit between 0 and 2305843009213693952),
  -- As its budget was when it last moved.
  hard boolean not null,
  -- The highest limit under which what is held and posted was let in; it falls to the limit as money comes back.
  ceiling bigint not null,
  held bigint not null default 0 check (held >= 0),
  posted bigint not null default 0 check (posted >= 0),
  -- Spent beyond what had been held for it: taken from what is free, and bounded by nothing.
  overage bigint not null default 0 check (overage >= 0),
  frozen boolean not null default false,
  frozen_at timestamptz,
  frozen_why text check (frozen_why in ('overage', 'administrator', 'recovery')),
  opened_at timestamptz not null default now(),
  constraint account_window unique (instance, opens_at),
  check (opens_at < closes_at),
  check ((budget is null) = (series is null)),
  check (budget is not null or (session is not null and own_limit is not null)),
  check (frozen = (frozen_at is not null)),
  constraint account_ceiling check (not hard or held + posted <= ceiling)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
create index account_of on account (tenant, budget, opens_at);
create index account_of_session on account (session) where session is not null;
grant select, update (own_limit, hard, ceiling, held, posted, overage, frozen, frozen_at, frozen_why) on account to remit_runtime;

-- What a call that is under way holds; its row is gone when something ended it. It keeps its id, the first decision's,
-- when another attempt of its call takes it over.
create table hold (
  id uuid primary key,
  tenant text not null,
  -- Who has it now.
  decision uuid not null,
  session uuid not null,
  session_day date not null,
  accounts bigint[] not null,
  amounts bigint[] not null check (cardinality(amounts) = cardinality(accounts)),
  -- It waits for an approval: when its time is over it is given back, never spent.
  pending boolean not null,
  expires_at timestamptz not null,
  taken_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.05);
create index hold_expires on hold (expires_at, id);
grant select, insert, update (decision, accounts, amounts, pending, expires_at), delete on hold to remit_runtime;

-- What a record did to accounts, in the order of `accounts`; null is all zeros.
alter table record
  add column accounts bigint[],
  add column held bigint[],
  add column posted bigint[],
  add column overage bigint[];

-- The accounts that are not the sum of what the records did to them: none, ever.
create function remit_account_differences()
  returns table (account bigint, tenant text, held bigint, posted bigint, overage bigint,
    recorded_held bigint, recorded_posted bigint, recorded_overage bigint)
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  select a.id, a.tenant, a.held, a.posted, a.overage, coalesce(m.held, 0)::bigint, coalesce(m.posted, 0)::bigint,
      coalesce(m.overage, 0)::bigint
    from account a left join (
      select m.account, sum(m.held) as held, sum(m.posted) as posted, sum(m.overage) as overage
        from record r, unnest(r.accounts, r.held, r.posted, r.overage) as m (account, held, posted, overage)
       where r.accounts is not null
       group by m.account
    ) m on m.account = a.id
   where (a.held, a.posted, a.overage)
      is distinct from (coalesce(m.held, 0)::bigint, coalesce(m.posted, 0)::bigint, coalesce(m.overage, 0)::bigint)
$$;
revoke execute on function remit_account_differences() from public;

-- The window of a calendar that a moment lies in, by a time zone's clocks. A day begins when its date does, for the first
-- time if it does so twice; so days have 23 to 25 hours. An hour begins whenever the clocks show a full one. A week begins
-- on Monday. The windows of a zone follow each other without gaps.
create function remit_window(kind text, zone text, moment timestamptz, out opens_at timestamptz, out closes_at timestamptz)
  language plpgsql stable
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- Clocks differ from UTC by multiples of this.
  step constant interval := interval '15 minutes';
  grid timestamptz := date_bin(step, moment, timestamptz '2000-01-01 00:00:00Z');
  today date := (moment at time zone zone)::date;
  firsts date[];
begin
  if kind in ('session', 'lifetime') then
    opens_at := '-infinity';
    closes_at := 'infinity';
    return;
  end if;
  if kind = 'hour' then
    select max(t) filter (where t <= moment), min(t) filter (where t > moment) into opens_at, closes_at
      from generate_series(grid - interval '4 hours', grid + interval '4 hours', step) t
     where extract(minute from t at time zone zone) = 0;
    return;
  end if;
  firsts := case kind
    when 'day' then array(select today + k from generate_series(-2, 2) k)
    when 'week' then array(select date_trunc('week', today::timestamp)::date + 7 * k from generate_series(-1, 2) k)
    when 'month' then array(select (date_trunc('month', today::timestamp) + k * interval '1 month')::date from generate_series(-1, 2) k)
  end;
  if firsts is null then
    raise exception 'remit_window: there is no window %', kind using errcode = '22023';
  end if;
  -- Of a date: the first moment at which the clocks show it or a later one.
  select max(b.at) filter (where b.at <= moment), min(b.at) filter (where b.at > moment) into opens_at, closes_at
    from unnest(firsts) f (first), lateral (
      select min(t) as at
        from generate_series(f.first::timestamp at time zone zone - interval '4 hours',
          f.first::timestamp at time zone zone + interval '26 hours', step) t
       where t at time zone zone >= f.first::timestamp
    ) b;
end
$$;

create function remit_account_instance(variadic parts text[]) returns bytea
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(array_to_json(parts)::text, 'UTF8'))
$$;

-- Accounts of budgets, by budget and key: those whose window a moment lies in. What is missing is opened; a budget that is
-- not declared has none. Not to be called with another moment than now but by tests.
create function remit_open_accounts_at(owner text, budgets text[], keys text[], moment timestamptz)
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean)
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  missing record;
  opens timestamptz;
  closes timestamptz;
begin
  for missing in
    select distinct b.name, b.series, b.document, b.hard, b.limit_micros, n.key,
        remit_account_instance(owner, b.name, b.series, n.key) as instance
      from unnest(budgets, keys) as n (budget, key) join budget b on b.tenant = owner and b.name = n.budget
     where not exists (select from account a
        where a.instance = remit_account_instance(owner, b.name, b.series, n.key) and a.opens_at <= moment and moment < a.closes_at)
     order by instance
  loop
    -- One at a time: two that come at once open it once, and no two windows of an account overlap, whatever becomes of the
    -- rules of a time zone meanwhile.
    perform pg_advisory_xact_lock(hashtextextended('remit.account/' || encode(missing.instance, 'hex'), 0));
    continue when exists (select from account a where a.instance = missing.instance and a.opens_at <= moment and moment < a.closes_at);
    select w.opens_at, w.closes_at into opens, closes from remit_window(missing.document #>> '{spec,window}',
      coalesce(missing.document #>> '{spec,timeZone}', 'UTC'), moment) w;
    select greatest(opens, max(a.closes_at) filter (where a.closes_at <= moment)),
        least(closes, min(a.opens_at) filter (where a.opens_at > moment)) into opens, closes
      from account a where a.instance = missing.instance;
    insert into account (tenant, budget, series, key, unit, instance, opens_at, closes_at, hard, ceiling)
      values (owner, missing.name, missing.series, missing.key, missing.document #>> '{spec,unit}', missing.instance,
        opens, closes, missing.hard, missing.limit_micros);
  end loop;
  return query
    select n.i::integer, a.id, a.unit, b.hard, a.opens_at, a.closes_at, coalesce(a.own_limit, b.limit_micros), a.held, a.posted,
        a.overage, a.frozen or b.frozen
      from unnest(budgets, keys) with ordinality as n (budget, key, i)
      join budget b on b.tenant = owner and b.name = n.budget
      join account a on a.instance = remit_account_instance(owner, b.name, b.series, n.key)
        and a.opens_at <= moment and moment < a.closes_at;
end
$$;
revoke execute on function remit_open_accounts_at(text, text[], text[], timestamptz) from public;

-- The same, now: the store's clock alone says which windows are current.
create function remit_open_accounts(owner text, budgets text[], keys text[])
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean)
  language sql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select * from remit_open_accounts_at(owner, budgets, keys, now())
$$;
revoke execute on function remit_open_accounts(text, text[], text[]) from public;
grant execute on function remit_open_accounts(text, text[], text[]) to remit_runtime;

-- An account of a session's own, with a limit of its own: what it was given to spend when it was opened, or what was
-- delegated to it. Once a session and unit.
create function remit_open_session_account(owner text, of_session uuid, of_unit text, at_most bigint) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  made bigint;
begin
  if not exists (select from session s where s.tenant = owner and s.id = of_session) then
    raise exception 'remit_open_session_account: there is no such session' using errcode = '23503';
  end if;
  insert into account (tenant, session, unit, instance, opens_at, closes_at, own_limit, hard, ceiling)
    values (owner, of_session, of_unit, remit_account_instance(owner, of_session::text, of_unit), '-infinity', 'infinity',
      at_most, true, at_most)
    returning id into made;
  return made;
end
$$;
revoke execute on function remit_open_session_account(text, uuid, text, bigint) from public;
grant execute on function remit_open_session_account(text, uuid, text, bigint) to remit_runtime;

revoke execute on function remit_micros(text), remit_window(text, text, timestamptz), remit_account_instance(text[]) from public;
grant execute on function remit_micros(text), remit_window(text, text, timestamptz), remit_account_instance(text[]) to remit_runtime;

-- Behind the wall of 0008 like every table with a tenant.
do $$
declare
  walled text;
begin
  foreach walled in array array['account', 'hold'] loop
    execute format('alter table public.%I enable row level security', walled);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled);
    execute format('create policy named_tenant on public.%I for select using (tenant = current_setting(''remit.tenant'', true))',
      walled);
  end loop;
end
$$;

-- Lets a role look at what 0016 lets it look at, and at these.
alter function remit_grant_reader(name) rename to remit_grant_reader_0016;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0016(reader);
  execute format('grant select on account, hold to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    perform remit_grant_reader('remit_reader');
  end if;
end
$$;

-- An erased tenant's rows of 0018, and these: the keys of accounts name people. The old function keeps its body.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0018;
revoke execute on function remit_erase_rows_0018(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0018(erased, rows);
begin
  delete from hold h where h.id in (select o.id from hold o where o.tenant = erased order by o.id limit rows);
  get diagnostics part = row_count;
  touched := touched + part;
  delete from account a where a.id in (select o.id from account o where o.tenant = erased order by o.id limit rows);
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
