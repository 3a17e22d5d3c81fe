-- oldest-build: 0003
-- What operators do about budgets: who froze what and why, how holds were resolved, and what of it takes several people.

alter table budget
  add column frozen_at timestamptz,
  add column frozen_by uuid,
  add column freeze_reason text check (octet_length(freeze_reason) <= 4096),
  add constraint budget_freezer_of_tenant foreign key (tenant, frozen_by) references caller (tenant, id);
alter table account
  add column frozen_by uuid,
  add column freeze_reason text check (octet_length(freeze_reason) <= 4096),
  add constraint account_freezer_of_tenant foreign key (tenant, frozen_by) references caller (tenant, id);
grant update (frozen_at, frozen_by, freeze_reason) on budget to remit_runtime;
grant update (frozen_by, freeze_reason) on account to remit_runtime;

-- A hold that an operator ended. What it did to accounts stands in the record that it names, of the same commit.
create table hold_resolution (
  tenant text not null references tenant (id),
  hold uuid not null,
  -- The decision that had it.
  decision uuid not null,
  -- Nothing of it was spent; else all.
  released boolean not null,
  reason text not null check (octet_length(reason) between 1 and 4096),
  resolved_by uuid not null,
  resolved_at timestamptz not null default now(),
  ending uuid not null,
  primary key (tenant, hold),
  foreign key (tenant, resolved_by) references caller (tenant, id)
);
grant select, insert (tenant, hold, decision, released, reason, resolved_by, ending) on hold_resolution to remit_runtime;

-- What shows of an account, as it is agreed to. Numbers of 64 bits are texts: readers of JSON would round them.
create function remit_account_shown(one account) returns jsonb
  language sql immutable
  set search_path = pg_catalog, public, pg_temp
as $$
  select jsonb_build_object('id', one.id::text, 'budget', one.budget, 'key', one.key, 'session', one.session,
    'unit', one.unit, 'own_limit', one.own_limit::text, 'frozen', one.frozen)
$$;

-- A higher limit of an account, and thawing one. What it had before is its own limit, or its budget's.
create function remit_guard_account() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  declared bigint := coalesce((select b.limit_micros from budget b where b.tenant = new.tenant and b.name = new.budget), 0);
begin
  if (new.frozen or not old.frozen) and coalesce(new.own_limit, declared) <= coalesce(old.own_limit, declared) then
    return null;
  end if;
  perform remit_require_change(new.tenant, tg_table_name, remit_account_shown(old), remit_account_shown(new),
    array['id', 'budget', 'key', 'session', 'unit', 'own_limit', 'frozen']);
  return null;
end
$$;
-- The commits that charge accounts set none of these, but for the freeze by overage.
create trigger account_guard after update on account
  for each row when (new.own_limit is distinct from old.own_limit or (old.frozen and not new.frozen))
  execute function remit_guard_account();

create function remit_guard_budget_freeze() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform remit_require_change(new.tenant, 'budget_freeze', to_jsonb(old), to_jsonb(new), array['name', 'frozen']);
  return null;
end
$$;
create trigger budget_freeze_guard after update on budget
  for each row when (old.frozen and not new.frozen) execute function remit_guard_budget_freeze();

create function remit_guard_resolution() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform remit_require_change(new.tenant, tg_table_name, null, to_jsonb(new), array['hold', 'decision', 'released']);
  return null;
end
$$;
create trigger hold_resolution_guard after insert on hold_resolution
  for each row when (new.released) execute function remit_guard_resolution();

-- An expiry counts what hard accounts held for a call that may have run as spent. Only an operator's word, which has passed
-- the guard above in this very transaction, says otherwise.
create function remit_guard_expiry() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if exists (
    select from hold h, unnest(new.accounts, new.held, new.posted) as m (account, held, posted) join account a on a.id = m.account
       left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
     where h.tenant = new.tenant and h.decision = new.subject and not h.pending and coalesce(b.hard, a.hard) and m.held + coalesce(m.posted, 0) <> 0
  ) and not exists (
    select from hold_resolution r where r.tenant = new.tenant and r.decision = new.subject and r.released and r.ending = new.id
       and r.resolved_at = now()
  ) then
    raise exception 'a hold of a hard budget is released by an operator alone' using errcode = 'RM004';
  end if;
  return new;
end
$$;
create trigger record_expiry_guard before insert on record
  for each row when (new.kind = 'expiry') execute function remit_guard_expiry();

do $$
declare
  made record;
begin
  for made in
    select p.oid::regprocedure as signature from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('remit_account_shown', 'remit_guard_account',
       'remit_guard_budget_freeze', 'remit_guard_resolution', 'remit_guard_expiry')
  loop
    execute format('revoke execute on function %s from public', made.signature);
    execute format('grant execute on function %s to remit_runtime', made.signature);
  end loop;
end
$$;

-- Behind the wall of 0008 like every table with a tenant.
alter table hold_resolution enable row level security;
create policy service on hold_resolution to remit_runtime using (true) with check (true);
create policy named_tenant on hold_resolution for select using (tenant = current_setting('remit.tenant', true));

-- Lets a role look at what 0019 lets it look at, and at this.
alter function remit_grant_reader(name) rename to remit_grant_reader_0019;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0019(reader);
  execute format('grant select on hold_resolution to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    grant select on hold_resolution to remit_reader;
  end if;
end
$$;

-- An erased tenant's rows of 0019, and these. The old function keeps its body.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0019;
revoke execute on function remit_erase_rows_0019(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0019(erased, rows);
begin
  delete from hold_resolution r where (r.tenant, r.hold) in
    (select o.tenant, o.hold from hold_resolution o where o.tenant = erased order by o.hold limit rows);
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
