-- oldest-build: 0003
-- What breakers count. A record that they count names its run, the session that was opened and that its own is or
-- descends from, and leaves a trail: what it was, shortened, so that nobody opens entries to count them.
alter table record add column run uuid, add column trail text;
create index record_run on record (run, id) where run is not null;

-- What an operator has set aside: what was counted of a run, or of an agent, until then counts no more.
create table breaker_reset (
  tenant text not null references tenant (id),
  id uuid not null,
  run uuid,
  agent text,
  -- Null: every tool.
  tool text,
  reason text not null,
  reset_at timestamptz not null,
  made_by uuid not null,
  revision bigint not null,
  primary key (tenant, id),
  foreign key (tenant, made_by) references caller (tenant, id),
  check ((run is null) <> (agent is null))
);
create index breaker_reset_at on breaker_reset (reset_at);
grant select, insert on breaker_reset to remit_runtime;

alter table breaker_reset enable row level security;
create policy service on breaker_reset to remit_runtime using (true) with check (true);
create policy named_tenant on breaker_reset for select using (tenant = current_setting('remit.tenant', true));

-- Whether the limits that no document names stop calls. Whoever made calls before there were breakers is told what they
-- would have stopped, and stopped by none until its owner says so.
alter table tenant add column breakers text not null default 'observe' check (breakers in ('enforce', 'observe', 'off'));
grant update (breakers) on tenant to remit_runtime;
update tenant set breakers = 'enforce' where not exists (select from record);

-- As in 0020, and breakers that stop less.
create or replace function remit_guard_tenant() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  spends boolean := new.unbudgeted = 'allow' and old.unbudgeted <> 'allow';
  loosens boolean := (old.breakers = 'enforce' and new.breakers <> 'enforce')
    or (old.breakers = 'observe' and new.breakers = 'off');
begin
  if new.people < old.people or (new.mode = 'observe' and old.mode <> 'observe')
     or (new.observe_agents <> old.observe_agents and new.observe_agents <> '[]') or spends or loosens then
    perform remit_require_change(new.id, tg_table_name, to_jsonb(old), to_jsonb(new),
      array['people', 'mode', 'observe_agents']
        || case when new.unbudgeted <> old.unbudgeted then array['unbudgeted'] else '{}' end
        || case when new.breakers <> old.breakers then array['breakers'] else '{}' end);
  end if;
  return null;
end
$$;

-- Lets a role look at what it could look at before, and at this.
alter function remit_grant_reader(name) rename to remit_grant_reader_0021;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0021(reader);
  execute format('grant select on breaker_reset to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    grant select on breaker_reset to remit_reader;
  end if;
end
$$;

-- An erased tenant's rows as before, and these: a trail names tools, a reset its reason.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0021;
revoke execute on function remit_erase_rows_0021(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0021(erased, rows);
begin
  update record r set trail = null
    where (r.day, r.writer, r.n) in (
      select e.day, e.writer, e.n from call c join record e on e.id = c.id
       where c.tenant = erased and e.tenant = erased and e.trail is not null
      limit rows);
  get diagnostics part = row_count;
  touched := touched + part;
  delete from breaker_reset b where b.tenant = erased;
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
