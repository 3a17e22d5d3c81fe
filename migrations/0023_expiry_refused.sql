-- oldest-build: 0003
-- A record that the guard of expiries refuses is at fault alone: its batch is made without it.
create or replace function remit_guard_expiry() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if exists (
    select from hold h, unnest(new.accounts, new.held, new.posted) as m (account, held, posted) join account a on a.id = m.account
       left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
     where h.tenant = new.tenant and h.decision = new.subject and not h.pending and coalesce(b.hard, a.hard)
       and m.held + coalesce(m.posted, 0) <> 0
  ) and not exists (
    select from hold_resolution r where r.tenant = new.tenant and r.decision = new.subject and r.released and r.ending = new.id
       and r.resolved_at = now()
  ) then
    raise exception 'a hold of a hard budget is released by an operator alone' using errcode = '23514';
  end if;
  return new;
end
$$;
