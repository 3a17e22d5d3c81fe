-- oldest-build: 0001
-- The roles, the cell and its tenants.
--
-- The role that runs migrations owns every table. The service runs as a login member of the group role remit_runtime,
-- which gets what is granted by name here and nothing else: it alters no table, and it can neither change nor delete a
-- record.

do $$
begin
  if not exists (select from pg_roles where rolname = 'remit_runtime') then
    create role remit_runtime nologin;
  end if;
exception
  -- Two databases of one server may be migrated at the same time.
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception 'the role remit_runtime does not exist and % may not create it', current_user
      using hint = 'as a superuser, once: CREATE ROLE remit_runtime NOLOGIN; then GRANT remit_runtime TO the role the service logs in as';
end
$$;

do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
  execute format('grant connect on database %I to remit_runtime', current_database());
end
$$;

revoke create on schema public from public;
grant usage on schema public to remit_runtime;
grant select on schema_migration to remit_runtime;

-- Which Postgres this is, written at the first start. After a failover to a standby that lacked commits, or a restored
-- backup, the pair no longer fits and the service stops (stores/cell.ts). Only the owner may change it.
create table cell (
  one boolean primary key default true check (one),
  system_identifier bigint not null,
  timeline integer not null check (timeline > 0),
  stored_at timestamptz not null default now()
);
grant select, insert on cell to remit_runtime;

create table tenant (
  id text primary key check (octet_length(id) between 1 and 200),
  status text not null default 'active' check (status in ('active', 'suspended', 'closing')),
  created_at timestamptz not null default now()
);
grant select, insert, update (status) on tenant to remit_runtime;

-- Two counters a tenant. `security`: revocation, halt, narrowing, freeze, limits; the commit refuses what was judged
-- under an older one. `policy`: everything else. Rows carry the revision that made them.
create table revision (
  tenant text primary key references tenant (id),
  security bigint not null default 0 check (security >= 0),
  policy bigint not null default 0 check (policy >= 0)
);
grant select, insert, update (security, policy) on revision to remit_runtime;
