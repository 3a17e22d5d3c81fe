-- oldest-build: 0003
-- Callers that prove themselves by a token or a certificate: whose word counts, and what it gives.

-- Whose tokens a tenant trusts, and for what: to say which workload calls, which principal a session is for, or which
-- person administers. An issuer has one use, and its audiences are of that use alone.
create table issuer (
  tenant text not null references tenant (id),
  name text not null,
  profile text not null check (profile in ('oidc', 'kubernetes', 'spiffe')),
  use text not null check (use in ('workloads', 'principals', 'people')),
  -- The `iss` of its tokens; for SPIFFE the id of the trust domain.
  issuer text not null,
  -- Where its keys are: one of the two, or neither where discovery says where.
  jwks_uri text,
  jwks jsonb,
  algorithms text[] not null check (cardinality(algorithms) > 0),
  claims jsonb not null default '{}',
  -- The longest that a token of it may live, from its issue to its expiry.
  token_seconds_max integer not null check (token_seconds_max > 0),
  -- The longest that a session may live which was opened for a principal of it.
  session_seconds_max integer not null check (session_seconds_max > 0),
  -- What its principals' ids begin with, so that two issuers never name the same one.
  principal_prefix text not null default '',
  revision bigint not null,
  primary key (tenant, name),
  check (jwks_uri is null or jwks is null)
);
create unique index issuer_principals on issuer (tenant, principal_prefix) where use = 'principals';
grant select, insert, update (profile, use, issuer, jwks_uri, jwks, algorithms, claims, token_seconds_max,
  session_seconds_max, principal_prefix, revision), delete on issuer to remit_runtime;

-- A token's issuer and audience say whose it is, so over the whole cell they belong to one tenant and to one use of it.
create table issuer_audience (
  issuer text not null,
  audience text not null,
  tenant text not null,
  name text not null,
  primary key (issuer, audience),
  foreign key (tenant, name) references issuer (tenant, name) on delete cascade,
  -- Nobody takes an audience that names another tenant.
  check (audience not like 'remit:%' or split_part(audience, ':', 2) = tenant)
);
create index issuer_audience_of on issuer_audience (tenant, name);
grant select, insert, delete on issuer_audience to remit_runtime;

-- What evidence gives which rights.
create table binding (
  tenant text not null references tenant (id),
  name text not null,
  -- The name of an issuer, or `spiffe` for certificates.
  issuer text not null,
  -- A glob; null: whoever is in the group.
  subject text,
  caller_group text,
  agents text[] not null default '{}',
  may_assert_principals boolean not null default false,
  roles text[] not null default '{}',
  revision bigint not null,
  primary key (tenant, name),
  check (subject is not null or caller_group is not null)
);
grant select, insert, update (issuer, subject, caller_group, agents, may_assert_principals, roles, revision), delete
  on binding to remit_runtime;

-- A caller without a key has a row from its first sight on, so that records can name it. Its rights are not in it.
alter table caller
  add column kind text not null default 'key' check (kind in ('key', 'jwt', 'spiffe', 'person')),
  add column issuer text,
  add column subject text,
  add constraint caller_proof check ((kind = 'key') = (subject is null) and (kind = 'key') = (issuer is null));
create unique index caller_subject on caller (tenant, kind, issuer, subject) where kind <> 'key';

-- Who proved the principal of a session, and for whom its token said that others acted before.
alter table session add column principal_issuer text, add column act jsonb;

do $$
declare
  walled text;
begin
  foreach walled in array array['issuer', 'issuer_audience', 'binding'] loop
    execute format('alter table public.%I enable row level security', walled);
    execute format('create policy service on public.%I to remit_runtime using (true) with check (true)', walled);
    execute format('create policy named_tenant on public.%I for select using (tenant = current_setting(''remit.tenant'', true))',
      walled);
  end loop;
end
$$;

-- Lets a role look at what 0011 lets it look at, and at these.
alter function remit_grant_reader(name) rename to remit_grant_reader_0011;
create function remit_grant_reader(reader name) returns void
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  perform public.remit_grant_reader_0011(reader);
  execute format('grant select on issuer, issuer_audience, binding to %I', reader);
  execute format('grant select (kind, issuer, subject) on caller to %I', reader);
end
$$;
revoke execute on function remit_grant_reader(name) from public;

do $$
begin
  if exists (select from pg_roles where rolname = 'remit_reader') then
    grant select on issuer, issuer_audience, binding to remit_reader;
    grant select (kind, issuer, subject) on caller to remit_reader;
  end if;
end
$$;

-- An erased tenant's rows of 0011, and these.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0011;
revoke execute on function remit_erase_rows_0011(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0011(erased, rows);
begin
  update caller c set issuer = 'erased', subject = 'erased-' || c.id
    where c.tenant = erased and c.kind <> 'key' and (c.issuer <> 'erased' or c.subject <> 'erased-' || c.id);
  get diagnostics part = row_count;
  touched := touched + part;
  update session s set principal_issuer = null, act = null
    where s.id in (select o.id from session o
      where o.tenant = erased and (o.principal_issuer is not null or o.act is not null) limit rows);
  get diagnostics part = row_count;
  touched := touched + part;
  delete from binding b where b.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from issuer i where i.tenant = erased;
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
