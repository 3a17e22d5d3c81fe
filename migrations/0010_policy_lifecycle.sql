-- oldest-build: 0003
-- The life of a version of a policy: stored as a draft, found valid, in force, in force no more, tried beside what is.

-- A draft is stored without being fit for force; it is one until somebody had it validated.
alter table policy_version
  add column draft boolean not null default false,
  add column validated_at timestamptz,
  add column validated_by uuid,
  add constraint policy_validator_of_tenant foreign key (tenant, validated_by) references caller (tenant, id),
  add constraint policy_draft_validated check (draft or validated_at is null);
grant update (validated_at, validated_by) on policy_version to remit_runtime;

-- When each version was in force. Written by the trigger below alone, so that builds which do not know it write it too.
create table policy_activation (
  id bigint primary key generated always as identity,
  tenant text not null references tenant (id),
  policy text not null,
  version integer not null,
  -- Null: before this was written down.
  since timestamptz,
  until timestamptz,
  cause text not null check (cause in ('activated', 'rolled_back', 'promoted')),
  -- Null where it is not known.
  made_by uuid,
  ended_by uuid,
  revision bigint not null,
  foreign key (tenant, policy, version) references policy_version (tenant, policy, version) on delete cascade,
  check (since is not null or until is not null)
);
create unique index policy_activation_living on policy_activation (tenant, policy) where until is null;
create index policy_activation_version on policy_activation (tenant, policy, version, id);
grant select on policy_activation to remit_runtime;

-- What was in force before the version that is cannot be known: every version below it counts as superseded, as before.
insert into policy_activation (tenant, policy, version, until, cause, revision)
  select v.tenant, v.policy, v.version, a.activated_at, 'activated', 0
    from policy_version v join active_policy a on a.tenant = v.tenant and a.policy = v.policy and v.version < a.version
   order by v.tenant, v.policy, v.version;
insert into policy_activation (tenant, policy, version, since, cause, revision)
  select tenant, policy, version, activated_at, 'activated', revision from active_policy order by tenant, policy;

-- Versions that are tried beside those in force: judged along, and deciding for a share of the sessions.
create table policy_rollout (
  id uuid primary key,
  tenant text not null references tenant (id),
  -- Of all sessions, in basis points.
  share integer not null check (share between 0 and 10000),
  started_at timestamptz not null default now(),
  started_by uuid not null,
  share_set_at timestamptz not null default now(),
  ended_at timestamptz,
  ended_by uuid,
  ended_as text check (ended_as in ('promoted', 'aborted', 'overtaken')),
  revision bigint not null,
  unique (tenant, id),
  foreign key (tenant, started_by) references caller (tenant, id),
  check ((ended_at is null) = (ended_as is null))
);
create unique index policy_rollout_living on policy_rollout (tenant) where ended_at is null;
create index policy_rollout_started on policy_rollout (tenant, started_at);
grant select, insert, update (share, share_set_at, ended_at, ended_by, ended_as, revision) on policy_rollout to remit_runtime;

create table policy_rollout_version (
  tenant text not null,
  rollout uuid not null,
  policy text not null,
  version integer not null,
  -- What was in force when it began; null: nothing of that name.
  base integer,
  primary key (tenant, rollout, policy),
  foreign key (tenant, rollout) references policy_rollout (tenant, id),
  foreign key (tenant, policy, version) references policy_version (tenant, policy, version) on delete cascade
);
grant select, insert on policy_rollout_version to remit_runtime;

-- Tells the history of what is in force. A change says who made it, and as what, in settings of its transaction. Whoever
-- changes by name what a rollout is about ends the rollout, but for its own promotion.
create function remit_active_policy_told() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  maker uuid := nullif(current_setting('remit.change_by', true), '')::uuid;
  told text := coalesce(nullif(current_setting('remit.change_cause', true), ''), 'activated');
  name text := coalesce(new.policy, old.policy);
  owner text := coalesce(new.tenant, old.tenant);
begin
  if tg_op = 'UPDATE' and new.version = old.version then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    update policy_activation h set until = now(), ended_by = maker
      where h.tenant = owner and h.policy = name and h.until is null;
  end if;
  if tg_op <> 'DELETE' then
    insert into policy_activation (tenant, policy, version, since, cause, made_by, revision)
      values (owner, name, new.version, now(), told, maker, new.revision);
  end if;
  if told <> 'promoted' then
    update policy_rollout r set ended_at = now(), ended_by = maker, ended_as = 'overtaken'
      where r.tenant = owner and r.ended_at is null
        and exists (select from policy_rollout_version v where v.tenant = owner and v.rollout = r.id and v.policy = name);
  end if;
  return null;
end
$$;
revoke execute on function remit_active_policy_told() from public;
create trigger active_policy_told after insert or update or delete on active_policy
  for each row execute function remit_active_policy_told();

do $$
declare
  walled text;
begin
  foreach walled in array array['policy_activation', 'policy_rollout', 'policy_rollout_version'] loop
    execute format('alter table public.%I enable row level security', walled);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled);
    execute format(
      'create policy named_tenant on public.%I for select using (tenant = current_setting(''remit.tenant'', true))', walled);
  end loop;
end
$$;

-- As before, and at the tables above.
create or replace function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  execute format('grant usage on schema public to %I', reader);
  execute format('grant select on tenant, revision, agent, tool, policy_version, active_policy, session, call, record to %I',
    reader);
  execute format('grant select on policy_activation, policy_rollout, policy_rollout_version to %I', reader);
  execute format('grant select (id, tenant, name, roles, agents, may_assert_principals, revoked, created_at, revision) on caller to %I',
    reader);
  execute format('grant connect on database %I to %I', current_database(), reader);
end
$$;

-- Where the role is not there, whoever makes it calls the function, as before.
do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    perform remit_grant_reader('remit_reader');
  end if;
end
$$;
