-- oldest-build: 0003
-- As in 0027, in two parts: what is missing is opened, and then read once, whoever asks. Joining what a function answers to
-- the accounts may read all of them.

-- Opens what is missing of accounts; one that is watched begins with its history and its alarm.
create function remit_open_missing_accounts(owner text, budgets text[], keys text[], moment timestamptz) returns void
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
end
$$;
revoke execute on function remit_open_missing_accounts(text, text[], text[], timestamptz) from public;

create or replace function remit_open_accounts_at(owner text, budgets text[], keys text[], moment timestamptz)
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean)
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
begin
  perform remit_open_missing_accounts(owner, budgets, keys, moment);
  return query
    select n.i::integer, a.id, a.unit, b.hard, a.opens_at, a.closes_at, coalesce(a.own_limit, b.limit_micros), a.held, a.posted,
        a.overage, a.frozen or b.frozen
      from unnest(budgets, keys) with ordinality as n (budget, key, i)
      join budget b on b.tenant = owner and b.name = n.budget
      join account a on a.instance = remit_account_instance(owner, b.name, b.series, n.key)
        and a.opens_at <= moment and moment < a.closes_at;
end
$$;

create or replace function remit_open_watched_accounts(owner text, budgets text[], keys text[])
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean, history bigint[], alarm bigint)
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
#variable_conflict use_column
begin
  perform remit_open_missing_accounts(owner, budgets, keys, now());
  return query
    select n.i::integer, a.id, a.unit, b.hard, a.opens_at, a.closes_at, coalesce(a.own_limit, b.limit_micros), a.held, a.posted,
        a.overage, a.frozen or b.frozen, a.history, a.alarm
      from unnest(budgets, keys) with ordinality as n (budget, key, i)
      join budget b on b.tenant = owner and b.name = n.budget
      join account a on a.instance = remit_account_instance(owner, b.name, b.series, n.key)
        and a.opens_at <= now() and now() < a.closes_at;
end
$$;
