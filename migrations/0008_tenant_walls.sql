-- oldest-build: 0003
-- Tenants apart: in what rows may refer to, and in what people see who look into the database.

-- A row refers to rows of its own tenant alone.
alter table caller add constraint caller_of_tenant unique (tenant, id);
alter table session add constraint session_of_tenant unique (tenant, id);
alter table session
  add constraint session_opener_of_tenant foreign key (tenant, opened_by) references caller (tenant, id),
  add constraint session_parent_of_tenant foreign key (tenant, parent) references session (tenant, id);
alter table policy_version
  add constraint policy_publisher_of_tenant foreign key (tenant, published_by) references caller (tenant, id);

-- What a quota of open sessions counts.
create index session_open on session (tenant, expires_at) where state = 'open';

-- Whoever is granted a look into these tables sees the rows of the tenant that the setting remit.tenant names, and none
-- while it names none. The service sees all: one commit holds the records of many tenants. What is `true` for it is
-- folded away when a statement is planned.
do $$
declare
  walled record;
begin
  for walled in
    select c.relname as name, case c.relname when 'tenant' then 'id' else 'tenant' end as col
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and (c.relname = 'tenant'
            or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped))
  loop
    execute format('alter table public.%I enable row level security', walled.name);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled.name);
    execute format('create policy named_tenant on public.%I for select using (%I = current_setting(''remit.tenant'', true))',
      walled.name, walled.col);
  end loop;
end
$$;

-- Lets a role look: at everything of a tenant but keys and their hashes. For the owner of the tables to call.
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  execute format('grant usage on schema public to %I', reader);
  execute format('grant select on tenant, revision, agent, tool, policy_version, active_policy, session, call, record to %I',
    reader);
  execute format('grant select (id, tenant, name, roles, agents, may_assert_principals, revoked, created_at, revision) on caller to %I',
    reader);
  execute format('grant connect on database %I to %I', current_database(), reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if not exists (select from pg_roles where rolname = 'remit_reader') then
    create role remit_reader nologin;
  end if;
  perform remit_grant_reader('remit_reader');
exception
  when duplicate_object or unique_violation then
    -- Two databases of one server may be migrated at the same time.
    perform remit_grant_reader('remit_reader');
  when insufficient_privilege then
    raise notice 'the role remit_reader does not exist and % may not create it: nobody but the service can look', current_user;
end
$$;
