-- oldest-build: 0003
-- Whether what no budget covers may be spent. Tenants that are there may, as until now; new ones may not until they say so.
alter table tenant add column unbudgeted text not null default 'allow' check (unbudgeted in ('deny', 'allow'));
alter table tenant alter column unbudgeted set default 'deny';
grant update (unbudgeted) on tenant to remit_runtime;

-- Fewer people, observing instead of enforcing, other agents that are observed, and spending that no budget covers. What
-- does not change is not compared, so that what was proposed before this column was there can still be approved.
create or replace function remit_guard_tenant() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  spends boolean := new.unbudgeted = 'allow' and old.unbudgeted <> 'allow';
begin
  if new.people < old.people or (new.mode = 'observe' and old.mode <> 'observe')
     or (new.observe_agents <> old.observe_agents and new.observe_agents <> '[]') or spends then
    perform remit_require_change(new.id, tg_table_name, to_jsonb(old), to_jsonb(new),
      array['people', 'mode', 'observe_agents']
        || case when new.unbudgeted <> old.unbudgeted then array['unbudgeted'] else '{}' end);
  end if;
  return null;
end
$$;
