-- oldest-build: 0003
-- What was revoked, and what is halted.

-- A revocation lives until it is lifted, or until what it is of can do nothing any more anyway. A halt is one of all that
-- carries labels, or of the whole tenant.
create table revocation (
  tenant text not null references tenant (id),
  id uuid not null,
  kind text not null check (kind in ('agent', 'session', 'principal', 'tool', 'labels', 'tenant')),
  -- A name or an id; of labels their digest; of a tenant nothing.
  subject text not null,
  labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
  reason text not null,
  made_at timestamptz not null default now(),
  made_by uuid not null,
  -- Of a session: when it would have ended.
  expires_at timestamptz,
  revision bigint not null,
  lifted_at timestamptz,
  lifted_by uuid,
  lift_reason text,
  lifted_revision bigint,
  primary key (tenant, id),
  foreign key (tenant, made_by) references caller (tenant, id),
  foreign key (tenant, lifted_by) references caller (tenant, id),
  check ((lifted_at is null) = (lifted_by is null)),
  -- A session that ended has ended.
  check (kind <> 'session' or lifted_at is null)
);
-- Revoking twice is revoking once.
create unique index revocation_living on revocation (tenant, kind, subject) where lifted_at is null;
grant select, insert, update (lifted_at, lifted_by, lift_reason, lifted_revision) on revocation to remit_runtime;

-- Behind the wall of 0008 like every table with a tenant.
alter table revocation enable row level security;
create policy service on revocation to remit_runtime using (true) with check (true);
create policy named_tenant on revocation for select using (tenant = current_setting('remit.tenant', true));

-- Lets a role look at what 0012 lets it look at, and at this.
alter function remit_grant_reader(name) rename to remit_grant_reader_0012;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0012(reader);
  execute format('grant select on revocation to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    grant select on revocation to remit_reader;
  end if;
end
$$;

-- An erased tenant's rows of 0012, and these: who was revoked, and why, is of people.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0012;
revoke execute on function remit_erase_rows_0012(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0012(erased, rows);
begin
  delete from revocation r where r.tenant = erased;
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
