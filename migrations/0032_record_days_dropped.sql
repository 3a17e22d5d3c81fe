-- oldest-build: 0003
-- Books outlive the records that made them: whoever drops the records of a day carries forward what they did to accounts.

alter table account
  add column carried_held bigint not null default 0,
  add column carried_posted bigint not null default 0,
  add column carried_overage bigint not null default 0;

-- The accounts that are not what was carried forward and the sum of what the records that are there did to them: none, ever.
create or replace function remit_account_differences()
  returns table (account bigint, tenant text, held bigint, posted bigint, overage bigint,
    recorded_held bigint, recorded_posted bigint, recorded_overage bigint)
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  select * from (
    select a.id, a.tenant, a.held, a.posted, a.overage, (a.carried_held + coalesce(m.held, 0))::bigint as recorded_held,
        (a.carried_posted + coalesce(m.posted, 0))::bigint as recorded_posted,
        (a.carried_overage + coalesce(m.overage, 0))::bigint as recorded_overage
      from account a left join (
        select m.account, sum(m.held) as held, sum(m.posted) as posted, sum(m.overage) as overage
          from record r, unnest(r.accounts, r.held, r.posted, r.overage) as m (account, held, posted, overage)
         where r.accounts is not null
         group by m.account
      ) m on m.account = a.id
  ) s
   where (s.held, s.posted, s.overage) is distinct from (s.recorded_held, s.recorded_posted, s.recorded_overage)
$$;

-- Drops the records of a UTC day, for good, and carries forward what they did to accounts, in one transaction. Answers how many
-- records there were. The owner role alone may: nothing of the service does it. Refuses a day about which a report may still
-- come (a session lives for 30 days, its token may report for a day after that), one whose decisions still hold, and one of which
-- a record has no place yet in the order of the cell.
create function remit_drop_record_day(of_day date) returns bigint
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part text := 'record_' || to_char(of_day, 'YYYYMMDD');
  dropped bigint;
begin
  if of_day is null or of_day > (now() at time zone 'utc')::date - 33 then
    raise exception 'remit_drop_record_day: records of % are too young, a report about them may still come', of_day
      using errcode = '22023', hint = 'drop days that are more than 32 days ago';
  end if;
  if not exists (select from pg_inherits i where i.inhparent = 'public.record'::regclass
      and i.inhrelid = to_regclass(format('public.%I', part))) then
    raise exception 'remit_drop_record_day: there are no records of a day %', of_day using errcode = '22023';
  end if;
  -- What is under way ends first; then nothing moves an account until this is done.
  lock table public.record in access exclusive mode;
  if exists (select from hold h join record r on r.id = h.decision where r.day = of_day) then
    raise exception 'remit_drop_record_day: a decision of % still holds', of_day
      using errcode = '55006', hint = 'remit holds list, and remit holds resolve';
  end if;
  if exists (select from record r left join seq_cursor c on c.writer = r.writer where r.day = of_day and r.n > coalesce(c.n, 0)) then
    raise exception 'remit_drop_record_day: records of % have no place in the order of the cell yet', of_day
      using errcode = '55006', hint = 'a replica that runs gives them one';
  end if;
  with moves as (
    select m.account, sum(m.held) as held, sum(coalesce(m.posted, 0)) as posted, sum(coalesce(m.overage, 0)) as overage
      from record r, unnest(r.accounts, r.held, r.posted, r.overage) as m (account, held, posted, overage)
     where r.day = of_day and r.accounts is not null group by m.account
  ), locked as materialized (
    select a.id from account a where a.id in (select account from moves) order by a.id for no key update
  )
  update account a set carried_held = a.carried_held + m.held, carried_posted = a.carried_posted + m.posted,
      carried_overage = a.carried_overage + m.overage
    from moves m join locked l on l.id = m.account where a.id = m.account;
  execute format('select count(*) from public.%I', part) into dropped;
  execute format('drop table public.%I', part);
  return dropped;
end
$$;
revoke execute on function remit_drop_record_day(date) from public;
