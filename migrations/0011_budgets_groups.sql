-- oldest-build: 0003
-- Budgets and groups as documents declare them.

create table budget (
  tenant text not null references tenant (id),
  name text not null,
  document jsonb not null,
  source text not null,
  digest bytea not null check (octet_length(digest) = 32),
  revision bigint not null,
  primary key (tenant, name)
);
grant select, insert, update (document, source, digest, revision), delete on budget to remit_runtime;

-- "group" is a word of SQL's own.
create table principal_group (
  tenant text not null references tenant (id),
  name text not null,
  document jsonb not null,
  source text not null,
  digest bytea not null check (octet_length(digest) = 32),
  revision bigint not null,
  primary key (tenant, name)
);
grant select, insert, update (document, source, digest, revision), delete on principal_group to remit_runtime;

-- Behind the wall of 0008 like every table with a tenant.
do $$
declare
  walled text;
begin
  foreach walled in array array['budget', 'principal_group'] loop
    execute format('alter table public.%I enable row level security', walled);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled);
    execute format('create policy named_tenant on public.%I for select using (tenant = current_setting(''remit.tenant'', true))',
      walled);
  end loop;
end
$$;

-- Lets a role look at what 0010 lets it look at, and at these.
alter function remit_grant_reader(name) rename to remit_grant_reader_0010;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0010(reader);
  execute format('grant select on budget, principal_group to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    grant select on budget, principal_group to remit_reader;
  end if;
end
$$;

-- An erased tenant's rows of 0009, and these. The old function keeps its body under a name of its own.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0009;
revoke execute on function remit_erase_rows_0009(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0009(erased, rows);
begin
  delete from budget b where b.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from principal_group g where g.tenant = erased;
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
