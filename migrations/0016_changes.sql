-- oldest-build: 0003
-- Changes that take several people: what widens authority in a tenant that says so is proposed, approved by others, and
-- made in the transaction of the last approval. Held here, whatever the service's code does; see docs/changes.md.

-- How many people what widens authority takes, the one who proposes it included.
alter table tenant add column people integer not null default 1 check (people between 1 and 8);
grant update (people) on tenant to remit_runtime;

-- Who made a key. Whoever made one may hold it, so the two are one pair of hands. Null: nobody of the tenant, or not
-- written down.
alter table caller add column created_by uuid,
  add constraint caller_maker_of_tenant foreign key (tenant, created_by) references caller (tenant, id);

create table change (
  id uuid primary key,
  tenant text not null references tenant (id),
  -- RFC 8785 JSON, which the digest is of: what is asked for, why and by whom, and the rows that it changes.
  request text not null check (octet_length(request) <= 1048576),
  digest bytea not null check (octet_length(digest) = 32),
  proposed_by uuid not null,
  proposed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  state text not null default 'proposed'
    check (state in ('proposed', 'applied', 'rejected', 'withdrawn', 'expired', 'refused')),
  ended_at timestamptz,
  ended_by uuid,
  -- Why it was rejected, or could not be applied.
  ended_why text not null default '' check (octet_length(ended_why) <= 4096),
  -- The transaction that it was applied in: nothing but this transaction may do what it permits.
  applied_in xid8,
  -- The ledger's entries that tell of its proposal and of its end.
  entry uuid not null,
  ended_entry uuid,
  -- Of a proposer without a key: what its token or certificate said of it then. Never a token.
  proven jsonb,
  unique (tenant, id),
  foreign key (tenant, proposed_by) references caller (tenant, id),
  foreign key (tenant, ended_by) references caller (tenant, id),
  check ((state = 'proposed') = (ended_at is null)),
  check ((state = 'applied') = (applied_in is not null))
);
create index change_proposed on change (tenant, proposed_at);
create index change_open on change (expires_at) where state = 'proposed';
grant select, insert (id, tenant, request, digest, proposed_by, expires_at, entry, proven),
  update (state, ended_by, ended_why, ended_entry) on change to remit_runtime;

create table change_approval (
  tenant text not null,
  change uuid not null,
  approver uuid not null,
  -- Of what the approver saw.
  digest bytea not null,
  approved_at timestamptz not null default now(),
  entry uuid not null,
  proven jsonb,
  primary key (change, approver),
  foreign key (tenant, change) references change (tenant, id),
  foreign key (tenant, approver) references caller (tenant, id)
);
grant select, insert (tenant, change, approver, digest, entry, proven) on change_approval to remit_runtime;

-- Whether two callers may be one pair of hands: they are the same, or one has made the other, by itself or through keys
-- that it made.
create function remit_same_hands(owner text, one uuid, other uuid) returns boolean
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  with recursive maker (id, side) as (
    values (one, 1), (other, 2)
    union
    select c.created_by, m.side from maker m join caller c on c.tenant = owner and c.id = m.id
     where c.created_by is not null
  )
  select exists (select from maker m where (m.side = 1 and m.id = other) or (m.side = 2 and m.id = one))
$$;

create function remit_change_refused(what text) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  raise exception '%', what using errcode = 'RM003';
end
$$;

-- A proposal begins as one, with the digest of what it says, and says who makes it.
create function remit_change_proposed() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  said jsonb := new.request::jsonb;
begin
  if new.digest <> sha256(convert_to(E'remit/change/v1\n' || new.request, 'UTF8')) then
    perform remit_change_refused('digest: it is not that of the request');
  end if;
  if said ->> 'id' is distinct from new.id::text or said ->> 'tenant' is distinct from new.tenant
     or said ->> 'by' is distinct from new.proposed_by::text or jsonb_typeof(said -> 'rows') is distinct from 'array' then
    perform remit_change_refused('request: it is not what the row says');
  end if;
  if new.expires_at <= now() or new.expires_at > now() + interval '30 days' then
    perform remit_change_refused('expires: it must end, and within 30 days');
  end if;
  if not exists (select from caller c where c.tenant = new.tenant and c.id = new.proposed_by and not c.revoked) then
    perform remit_change_refused('proposer: it is revoked');
  end if;
  return new;
end
$$;
create trigger change_proposed before insert on change for each row execute function remit_change_proposed();

-- One approves what one saw, in time, and with hands that neither proposed nor approved it already.
create function remit_change_approved() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  about change;
begin
  select c.* into about from change c where c.tenant = new.tenant and c.id = new.change for update;
  if about.state is distinct from 'proposed' then
    perform remit_change_refused('state: it is ' || coalesce(about.state, 'not there'));
  end if;
  if clock_timestamp() >= about.expires_at then
    perform remit_change_refused('expired: it is too late');
  end if;
  if new.digest <> about.digest then
    perform remit_change_refused('digest: this is not what is proposed');
  end if;
  if remit_same_hands(new.tenant, new.approver, about.proposed_by) then
    perform remit_change_refused('proposer: nobody approves their own');
  end if;
  if exists (select from change_approval a where a.change = new.change and remit_same_hands(new.tenant, new.approver, a.approver)) then
    perform remit_change_refused('approver: they have approved it already');
  end if;
  if not exists (select from caller c where c.tenant = new.tenant and c.id = new.approver and not c.revoked) then
    perform remit_change_refused('approver: it is revoked');
  end if;
  return new;
end
$$;
create trigger change_approved before insert on change_approval for each row execute function remit_change_approved();

-- It ends once, and is applied when enough people who live have approved it in time.
create function remit_change_ended() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  needed integer;
  agreed integer;
begin
  if old.state <> 'proposed' or new.state = 'proposed' then
    perform remit_change_refused('state: it is ' || old.state);
  end if;
  if new.ended_entry is null then
    perform remit_change_refused('entry: nothing tells of it');
  end if;
  if new.state = 'withdrawn' and new.ended_by is distinct from new.proposed_by then
    perform remit_change_refused('withdrawn: only who proposed it may');
  end if;
  if new.state = 'expired' and clock_timestamp() < new.expires_at then
    perform remit_change_refused('expired: it is not yet');
  end if;
  new.ended_at := now();
  if new.state = 'applied' then
    if clock_timestamp() >= new.expires_at then
      perform remit_change_refused('expired: it is too late');
    end if;
    select t.people into needed from tenant t where t.id = new.tenant for share;
    perform from caller c where c.tenant = new.tenant
        and (c.id = new.proposed_by or c.id in (select a.approver from change_approval a where a.change = new.id))
      order by c.id for share;
    if not exists (select from caller c where c.tenant = new.tenant and c.id = new.proposed_by and not c.revoked) then
      perform remit_change_refused('proposer: it is revoked');
    end if;
    select count(*) into agreed from change_approval a join caller c on c.tenant = a.tenant and c.id = a.approver
     where a.change = new.id and a.digest = new.digest and a.approver <> new.proposed_by and not c.revoked;
    -- Nobody approves their own, however few it takes.
    if agreed < greatest(needed, 2) - 1 then
      perform remit_change_refused('approvals: there are too few');
    end if;
    new.applied_in := pg_current_xact_id();
  end if;
  return new;
end
$$;
create trigger change_ended before update on change for each row execute function remit_change_ended();

-- No step without its entry in the ledger, in the same commit.
create function remit_change_told() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  named uuid := case when tg_op = 'UPDATE' then (to_jsonb(new) ->> 'ended_entry')::uuid else new.entry end;
begin
  -- What was recorded in this transaction has its time.
  if not exists (select from record r where r.id = named and r.tenant = new.tenant and r.kind = 'admin'
                    and r.day = (now() at time zone 'utc')::date and r.recorded_at = now()) then
    perform remit_change_refused('entry: it is not in the ledger');
  end if;
  return null;
end
$$;
create constraint trigger change_told after insert or update on change
  deferrable initially deferred for each row execute function remit_change_told();
create constraint trigger change_approval_told after insert on change_approval
  deferrable initially deferred for each row execute function remit_change_told();

-- Refuses what widens, unless the tenant takes one person for it, or this very transaction applied a change whose
-- rows name this one: as it was, and as it becomes.
create function remit_require_change(owner text, place text, was jsonb, becomes jsonb, columns text[]) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  needed integer;
  before jsonb := (select jsonb_object_agg(c, was -> c) from unnest(columns) c where was is not null);
  after jsonb := (select jsonb_object_agg(c, becomes -> c) from unnest(columns) c where becomes is not null);
  under uuid;
begin
  -- Who owns the tables migrates them, and erases tenants.
  if pg_has_role(current_user, (select relowner from pg_class where oid = 'public.change'::regclass), 'USAGE') then
    return;
  end if;
  -- Whoever makes it more waits for us, and we for them.
  select t.people into needed from tenant t where t.id = owner for share;
  needed := case when place = 'tenant' then (was ->> 'people')::integer else needed end;
  if coalesce(needed, 1) <= 1 then
    return;
  end if;
  select c.id into under from change c
   where c.tenant = owner and c.applied_in = pg_current_xact_id() and c.ended_at = now();
  if under is null then
    raise exception 'in this tenant it takes % people to widen authority', needed using errcode = 'RM001', table = place;
  end if;
  if not exists (
    select from change c, jsonb_array_elements(c.request::jsonb -> 'rows') e
     where c.id = under and e ->> 'table' = place
       and coalesce(e -> 'was', 'null') = coalesce(before, 'null')
       and coalesce(e -> 'becomes', 'null') = coalesce(after, 'null')
  ) then
    raise exception 'this is not what was approved' using errcode = 'RM002', table = place;
  end if;
end
$$;

-- Whether a policy can only allow: without it nothing more is allowed than with it. Whatever cannot be told at a glance
-- may hold others back.
create function remit_only_allows(document jsonb) returns boolean
  language sql immutable
  set search_path = pg_catalog, public, pg_temp
as $$
  select jsonb_typeof(document #> '{spec,rules}') = 'array' and coalesce(document #>> '{spec,language}', 'native') = 'native'
     and not exists (select from jsonb_array_elements(document #> '{spec,rules}') r
                      where r ->> 'effect' is distinct from 'allow' or jsonb_exists(r, 'constraints'))
$$;

create function remit_guard_active_policy() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  owner text := coalesce(new.tenant, old.tenant);
begin
  if tg_op = 'UPDATE' and new.version = old.version then
    return null;
  end if;
  if tg_op = 'DELETE' and (select remit_only_allows(v.document) from policy_version v
       where v.tenant = owner and v.policy = old.policy and v.version = old.version) then
    return null;
  end if;
  perform remit_require_change(owner, tg_table_name, to_jsonb(old), to_jsonb(new), array['policy', 'version']);
  return null;
end
$$;
create trigger active_policy_guard after insert or update or delete on active_policy
  for each row execute function remit_guard_active_policy();

-- Fewer people, observing instead of enforcing, and other agents that are observed.
create function remit_guard_tenant() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if new.people < old.people or (new.mode = 'observe' and old.mode <> 'observe')
     or (new.observe_agents <> old.observe_agents and new.observe_agents <> '[]') then
    perform remit_require_change(new.id, tg_table_name, to_jsonb(old), to_jsonb(new),
      array['people', 'mode', 'observe_agents']);
  end if;
  return null;
end
$$;
create trigger tenant_guard after update on tenant for each row execute function remit_guard_tenant();

-- A row that gives nothing widens nothing; rights that were a caller's already are no wider.
create function remit_guard_caller() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  given constant text[] := array['name', 'key_hash', 'roles', 'agents', 'may_assert_principals', 'created_by'];
begin
  if tg_op = 'INSERT' then
    if new.key_hash is null and new.roles = '{}' and new.agents = '{}' and not new.may_assert_principals then
      return null;
    end if;
    perform remit_require_change(new.tenant, tg_table_name, null, to_jsonb(new), given);
  elsif not (new.roles <@ old.roles and new.agents <@ old.agents
             and (old.may_assert_principals or not new.may_assert_principals) and (new.revoked or not old.revoked)) then
    perform remit_require_change(new.tenant, tg_table_name, to_jsonb(old), to_jsonb(new), given || 'revoked'::text);
  end if;
  return null;
end
$$;
create trigger caller_guard after insert or update on caller for each row execute function remit_guard_caller();

-- An agent or a tool that is suspended, and is otherwise as it was, may do less; and without its row nothing.
create function remit_guard_registered() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and (new.document = old.document
      or new.document = jsonb_set(old.document, '{spec,status}', '"suspended"')) then
    return null;
  end if;
  perform remit_require_change(new.tenant, tg_table_name, to_jsonb(old), to_jsonb(new), array['name', 'document']);
  return null;
end
$$;
create trigger agent_guard after insert or update on agent for each row execute function remit_guard_registered();
create trigger tool_guard after insert or update on tool for each row execute function remit_guard_registered();

-- A budget's limit that is lowered, and nothing else.
create function remit_lowers(was jsonb, becomes jsonb) returns boolean
  language sql immutable
  set search_path = pg_catalog, public, pg_temp
as $$
  select was #- '{spec,limit}' = becomes #- '{spec,limit}'
     and (becomes #>> '{spec,limit}') ~ '^[0-9]{1,40}(\.[0-9]{1,40})?$'
     and (was #>> '{spec,limit}') ~ '^[0-9]{1,40}(\.[0-9]{1,40})?$'
     and (becomes #>> '{spec,limit}')::numeric <= (was #>> '{spec,limit}')::numeric
$$;

create function remit_guard_declared() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and (new.document = old.document
      or (tg_table_name = 'budget' and coalesce(remit_lowers(old.document, new.document), false))) then
    return null;
  end if;
  perform remit_require_change(coalesce(new.tenant, old.tenant), tg_table_name, to_jsonb(old), to_jsonb(new),
    array['name', 'document']);
  return null;
end
$$;
create trigger budget_guard after insert or update or delete on budget
  for each row execute function remit_guard_declared();
create trigger principal_group_guard after insert or update or delete on principal_group
  for each row execute function remit_guard_declared();

-- Versions that are tried decide for nobody until they have a share. What they are is fixed when they get one.
create function remit_rollout_shown(owner text, rollout uuid, share integer) returns jsonb
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  select jsonb_build_object('share', share, 'versions',
    (select coalesce(jsonb_object_agg(v.policy, v.version), '{}') from policy_rollout_version v
      where v.tenant = owner and v.rollout = remit_rollout_shown.rollout))
$$;

create function remit_guard_rollout() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  -- One that has ended decides for nobody, like one without a share.
  if new.ended_at is not null or new.share = 0 or (tg_op = 'UPDATE' and old.ended_at is null and new.share <= old.share) then
    return null;
  end if;
  perform remit_require_change(new.tenant, tg_table_name,
    case when tg_op = 'UPDATE' and old.ended_at is null then remit_rollout_shown(old.tenant, old.id, old.share) end,
    remit_rollout_shown(new.tenant, new.id, new.share), array['share', 'versions']);
  return null;
end
$$;
-- At the end of the transaction, when the versions of a rollout that begins are there.
create constraint trigger policy_rollout_guard after insert or update on policy_rollout
  deferrable initially deferred for each row execute function remit_guard_rollout();

create function remit_guard_rollout_version() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  about policy_rollout;
begin
  select r.* into about from policy_rollout r where r.tenant = new.tenant and r.id = new.rollout for share;
  if about.ended_at is null and about.share > 0 then
    perform remit_require_change(new.tenant, 'policy_rollout', null,
      remit_rollout_shown(new.tenant, new.rollout, about.share), array['share', 'versions']);
  end if;
  return null;
end
$$;
create constraint trigger policy_rollout_version_guard after insert on policy_rollout_version
  deferrable initially deferred for each row execute function remit_guard_rollout_version();

-- Whose word counts and what it gives. Without a row less is believed and less is given.
create function remit_guard_trust() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  columns text[] := (select array_agg(k) from jsonb_object_keys(to_jsonb(new) - 'revision' - 'tenant') k);
begin
  if tg_op = 'UPDATE' and to_jsonb(new) - 'revision' = to_jsonb(old) - 'revision' then
    return null;
  end if;
  perform remit_require_change(new.tenant, tg_table_name, to_jsonb(old), to_jsonb(new), columns);
  return null;
end
$$;
create trigger issuer_guard after insert or update on issuer for each row execute function remit_guard_trust();
create trigger issuer_audience_guard after insert on issuer_audience
  for each row execute function remit_guard_trust();
create trigger binding_guard after insert or update on binding for each row execute function remit_guard_trust();

-- Lifting what was revoked or halted.
create function remit_guard_revocation() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if old.lifted_at is null and new.lifted_at is not null then
    perform remit_require_change(new.tenant, tg_table_name, to_jsonb(old) || '{"lifted": false}',
      to_jsonb(new) || '{"lifted": true}', array['id', 'kind', 'subject', 'labels', 'lifted']);
  end if;
  return null;
end
$$;
create trigger revocation_guard after update on revocation for each row execute function remit_guard_revocation();

do $$
declare
  made record;
begin
  for made in
    select p.oid::regprocedure as signature from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in (
       'remit_same_hands', 'remit_change_refused', 'remit_change_proposed', 'remit_change_approved', 'remit_change_ended',
       'remit_change_told', 'remit_require_change', 'remit_only_allows', 'remit_lowers', 'remit_rollout_shown',
       'remit_guard_active_policy', 'remit_guard_tenant', 'remit_guard_caller', 'remit_guard_registered',
       'remit_guard_declared', 'remit_guard_trust', 'remit_guard_revocation', 'remit_guard_rollout', 'remit_guard_rollout_version')
  loop
    execute format('revoke execute on function %s from public', made.signature);
    execute format('grant execute on function %s to remit_runtime', made.signature);
  end loop;
end
$$;

-- Behind the wall of 0008 like every table with a tenant.
do $$
declare
  walled text;
begin
  foreach walled in array array['change', 'change_approval'] loop
    execute format('alter table public.%I enable row level security', walled);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled);
    execute format('create policy named_tenant on public.%I for select using (tenant = current_setting(''remit.tenant'', true))',
      walled);
  end loop;
end
$$;

-- Lets a role look at what 0014 lets it look at, and at these.
alter function remit_grant_reader(name) rename to remit_grant_reader_0014;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0014(reader);
  execute format('grant select on change, change_approval to %I', reader);
  execute format('grant select (created_by) on caller to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    perform remit_grant_reader('remit_reader');
  end if;
end
$$;

-- An erased tenant's rows of 0015, and these. The old function keeps its body under a name of its own.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0015;
revoke execute on function remit_erase_rows_0015(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0015(erased, rows);
begin
  delete from change_approval a where a.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from change c where c.tenant = erased;
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
