-- oldest-build: 0002
-- Who may ask, for whom, and under which documents.

-- The workload that speaks to Remit. A caller that proves itself by a certificate or a JWT has no key.
create table caller (
  id uuid primary key,
  tenant text not null references tenant (id),
  name text not null,
  key_hash bytea unique check (octet_length(key_hash) = 32),
  roles text[] not null default '{}',
  agents text[] not null default '{}',
  may_assert_principals boolean not null default false,
  revoked boolean not null default false,
  created_at timestamptz not null default now(),
  revision bigint not null
);
-- One living caller a name: two replicas that start together make one bootstrap owner.
create unique index caller_living_name on caller (tenant, name) where not revoked;
grant select, insert, update (name, roles, agents, may_assert_principals, revoked, revision) on caller to remit_runtime;

create table agent (
  tenant text not null references tenant (id),
  name text not null,
  document jsonb not null,
  source text not null,
  digest bytea not null check (octet_length(digest) = 32),
  revision bigint not null,
  primary key (tenant, name)
);
grant select, insert, update (document, source, digest, revision), delete on agent to remit_runtime;

create table tool (
  tenant text not null references tenant (id),
  name text not null,
  document jsonb not null,
  source text not null,
  digest bytea not null check (octet_length(digest) = 32),
  revision bigint not null,
  primary key (tenant, name)
);
grant select, insert, update (document, source, digest, revision), delete on tool to remit_runtime;

-- Published versions never change. The text that was published is the truth; the document is its reading.
create table policy_version (
  tenant text not null references tenant (id),
  policy text not null,
  version integer not null check (version > 0),
  digest bytea not null check (octet_length(digest) = 32),
  document jsonb not null,
  source text not null,
  rules integer not null check (rules >= 0),
  published_at timestamptz not null default now(),
  published_by uuid references caller (id),
  primary key (tenant, policy, version),
  unique (tenant, policy, digest)
);
grant select, insert on policy_version to remit_runtime;

create table active_policy (
  tenant text not null,
  policy text not null,
  version integer not null,
  revision bigint not null,
  activated_at timestamptz not null default now(),
  primary key (tenant, policy),
  foreign key (tenant, policy, version) references policy_version (tenant, policy, version)
);
grant select, insert, update (version, revision, activated_at), delete on active_policy to remit_runtime;

create table session (
  id uuid primary key,
  tenant text not null references tenant (id),
  agent text not null,
  principal_id text not null,
  principal_verified boolean not null,
  principal_labels jsonb not null default '{}',
  purpose text not null default '',
  -- Absent: everything the agent's ceiling allows.
  scope jsonb,
  labels jsonb not null default '{}',
  run_id text,
  state text not null default 'open' check (state in ('open', 'closed', 'revoked')),
  parent uuid references session (id),
  depth integer not null default 0 check (depth between 0 and 8),
  opened_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > opened_at),
  opened_by uuid not null references caller (id),
  details jsonb not null default '{}',
  closed_at timestamptz,
  revision bigint not null default 0,
  check ((state = 'open') = (closed_at is null))
);
-- Opening again with the same run id answers the same session.
create unique index session_run on session (tenant, opened_by, agent, run_id) where run_id is not null;
create index session_children on session (parent) where parent is not null;
-- What the poll reads: sessions that ended lately.
create index session_ended on session (closed_at) where closed_at is not null;
grant select, insert, update (state, closed_at, revision) on session to remit_runtime;

-- Keys that sign tokens, receipts and permits. The private half is wrapped by a key that Postgres never sees.
create table signing_key (
  kid text primary key,
  public_jwk jsonb not null,
  wrapped_private bytea not null,
  wrapped_by text not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
grant select, insert, update (retired_at) on signing_key to remit_runtime;
