-- oldest-build: 0003
-- What an agent usually spends in a window of a budget, and from where on the commit lets no more in.

-- `history`: what was spent in windows before this one, as it was when this one was opened, the newest first. `alarm`: the
-- most that may be spent and held in this window; null: nothing is judged. `alarm_off_at`: an operator had it look away.
alter table account
  add column history bigint[],
  add column alarm bigint check (alarm between 0 and 2305843009213693952),
  add column alarm_off_at timestamptz;

-- Whether the accounts of a budget are agents', each with windows that follow each other.
create function remit_watchable(document jsonb) returns boolean
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select document #>> '{spec,window}' in ('hour', 'day', 'week', 'month')
     and (document #> '{spec,per}' = '["agent"]'
       or (document #> '{spec,per}' is null and document #> '{spec,owner,agent}' is not null))
$$;

-- What was spent or is held in the closed windows of an account's instance before a moment, of the last 32 in which anything
-- was: the newest first. Nothing where there was none.
create function remit_account_history(of_instance bytea, before timestamptz) returns bigint[]
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  select coalesce(array_agg(s.spent order by s.opens_at desc), '{}') from (
    select a.opens_at, least(a.held::numeric + a.posted + a.overage, 2305843009213693952)::bigint as spent from account a
     where a.instance = of_instance and a.closes_at <= before and a.held + a.posted + a.overage > 0
     order by a.opens_at desc limit 32
  ) s
$$;

-- Of whole millionths, rounded up to one: the middle one, or what lies halfway between the two in the middle.
create function remit_median(amounts bigint[]) returns numeric
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select div(sum(s.amount) + 1, 2) from (
    select o.amount from unnest(array[(cardinality(amounts) + 1) / 2, cardinality(amounts) / 2 + 1]) m (place)
      join (select x.amount, row_number() over (order by x.amount) as place from unnest(amounts) x (amount)) o using (place)
  ) s
$$;

-- From where on a window is out of the ordinary: the rule of `spendingAlarm` in the service, which says why. Null: it judges
-- nothing, without settings or with too few windows. Quotients by `div`, since `/` rounds what is long.
create function remit_spending_alarm(document jsonb, limit_micros bigint, history bigint[]) returns bigint
  language plpgsql immutable
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  deviations numeric;
  windows_min integer;
  least_alarm bigint;
  median numeric;
  deviation numeric;
begin
  if history is null or cardinality(history) = 0 or document #> '{spec,anomaly}' is null
     or document #>> '{spec,enforcement}' = 'soft' or not remit_watchable(document) then
    return null;
  end if;
  deviations := (document #>> '{spec,anomaly,deviations}')::numeric;
  windows_min := (document #>> '{spec,anomaly,windowsMin}')::integer;
  if deviations is null or windows_min is null or cardinality(history) < windows_min then
    return null;
  end if;
  least_alarm := coalesce(remit_micros(document #>> '{spec,anomaly,floor}'), limit_micros / 5);
  median := remit_median(history);
  deviation := remit_median(array(select abs(h - median)::bigint from unnest(history) h));
  return least(2305843009213693952, greatest(least_alarm,
    median + deviations * greatest(div(deviation * 14826 + 9999, 10000), div(median + 9, 10))))::bigint;
end
$$;

-- As in 0019; an account that is watched begins with its history and its alarm.
create or replace function remit_open_accounts_at(owner text, budgets text[], keys text[], moment timestamptz)
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean)
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
declare
  missing record;
  declared record;
  opens timestamptz;
  closes timestamptz;
  past bigint[];
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
    past := null;
    declared := missing;
    if remit_watchable(missing.document) then
      -- Whoever changes the settings at this moment is waited for, or finds the account and changes it too.
      select b.document, b.limit_micros into declared from budget b where b.tenant = owner and b.name = missing.name for share;
      if declared.document #> '{spec,anomaly}' is not null then
        past := remit_account_history(missing.instance, opens);
      end if;
    end if;
    insert into account (tenant, budget, series, key, unit, instance, opens_at, closes_at, hard, ceiling, history, alarm)
      values (owner, missing.name, missing.series, missing.key, missing.document #>> '{spec,unit}', missing.instance,
        opens, closes, missing.hard, missing.limit_micros, past,
        case when past is not null then remit_spending_alarm(declared.document, declared.limit_micros, past) end);
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

-- The same as `remit_open_accounts`, with what is usual of each. Its statements follow each other, so that the second sees
-- what the first opened.
create function remit_open_watched_accounts(owner text, budgets text[], keys text[])
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean, history bigint[], alarm bigint)
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
begin
  perform remit_open_accounts_at(owner, budgets, keys, now());
  return query
    select o.*, a.history, a.alarm from remit_open_accounts_at(owner, budgets, keys, now()) o join account a on a.id = o.id;
end
$$;
revoke execute on function remit_open_watched_accounts(text, text[], text[]) from public;
grant execute on function remit_open_watched_accounts(text, text[], text[]) to remit_runtime;

-- Settings bind the windows that are open from the commit that changes them. Accounts are locked in the order in which
-- commits lock them.
create function remit_set_alarms() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  with current as materialized (
    select a.id, coalesce(a.history, remit_account_history(a.instance, a.opens_at)) as history from account a
     where a.tenant = new.tenant and a.budget = new.name and a.series = new.series and a.opens_at <= now() and now() < a.closes_at
     order by a.id for no key update
  )
  update account a set history = c.history,
      alarm = case when a.alarm_off_at is null then remit_spending_alarm(new.document, new.limit_micros, c.history) end
    from current c where a.id = c.id;
  return null;
end
$$;
create trigger budget_alarms_declared after insert on budget
  for each row when (new.document #> '{spec,anomaly}' is not null) execute function remit_set_alarms();
create trigger budget_alarms_changed after update on budget
  for each row when ((new.document #> '{spec,anomaly}' is not null or old.document #> '{spec,anomaly}' is not null)
    and (new.document #> '{spec,anomaly}' is distinct from old.document #> '{spec,anomaly}'
      or new.document #> '{spec,enforcement}' is distinct from old.document #> '{spec,enforcement}'
      or new.document #> '{spec,limit}' is distinct from old.document #> '{spec,limit}'))
  execute function remit_set_alarms();

-- What is set aside of an agent is what alarms have against it: in its windows that are open nothing is judged any more.
create function remit_set_alarms_aside() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  with current as materialized (
    select a.id from account a join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
     where a.tenant = new.tenant and a.history is not null and a.opens_at <= now() and now() < a.closes_at
       and case when b.document #> '{spec,per}' is null then b.document #>> '{spec,owner,agent}' = new.agent
             when a.key like '{%' then a.key::jsonb #>> '{per,agent}' = new.agent else false end
     order by a.id for no key update of a
  )
  update account a set alarm = null, alarm_off_at = now() from current c where a.id = c.id;
  return null;
end
$$;
create trigger breaker_reset_agent after insert on breaker_reset
  for each row when (new.agent is not null) execute function remit_set_alarms_aside();

-- As `record_trip`: what tripped for spending stays open until its window ends, which may be weeks.
create index record_spending on record (tenant, id) where trail like '%,["spending",%';

do $$
declare
  made record;
begin
  for made in
    select p.oid::regprocedure as signature from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('remit_watchable', 'remit_account_history', 'remit_median',
       'remit_spending_alarm', 'remit_set_alarms', 'remit_set_alarms_aside')
  loop
    execute format('revoke execute on function %s from public', made.signature);
    execute format('grant execute on function %s to remit_runtime', made.signature);
  end loop;
end
$$;
