-- oldest-build: 0003
-- Whose certificates are whose: a SPIFFE id speaks to the tenant that was given the longest prefix of it, else to the
-- first tenant. A cell operator gives them.
alter table tenant add column workload_prefixes text[] not null default '{}';
grant update (workload_prefixes) on tenant to remit_runtime;
create index tenant_workload_prefixes on tenant using gin (workload_prefixes);

create function remit_workload_prefixes() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  moved text[];
begin
  -- One after the other: of two who give the same prefix at once, the second sees the first.
  perform pg_advisory_xact_lock(hashtextextended('remit.workload_prefixes', 0));
  perform 1 from tenant t where t.id <> new.id and t.workload_prefixes && new.workload_prefixes;
  if found then
    raise unique_violation using message = 'a prefix of workloads belongs to one tenant';
  end if;
  moved := array(
    (select unnest(new.workload_prefixes) except select unnest(old.workload_prefixes))
    union (select unnest(old.workload_prefixes) except select unnest(new.workload_prefixes)));
  -- Whoever spoke to another tenant by a shorter prefix, or by none, is looked for anew there too.
  update revision r set security = r.security + 1
    where r.tenant <> new.id and (r.tenant = 'default' or r.tenant in (
      select t.id from tenant t, unnest(t.workload_prefixes) held, unnest(moved) m
        where starts_with(m, held || '/')));
  return null;
end
$$;
revoke execute on function remit_workload_prefixes() from public;
create trigger workload_prefixes after update of workload_prefixes on tenant for each row
  when (old.workload_prefixes is distinct from new.workload_prefixes) execute function remit_workload_prefixes();

-- An erased tenant has no workloads: the prefixes may be given to others. The old function keeps its body.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0016;
revoke execute on function remit_erase_rows_0016(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0016(erased, rows);
begin
  update tenant t set workload_prefixes = '{}' where t.id = erased and t.workload_prefixes <> '{}';
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
