-- oldest-build: 0003
-- The keys that tenants' entries are sealed under, and what an operator does with keys.

-- One a tenant. Whoever erases a tenant destroys it: `wrapped` is overwritten and the row stays, so that no other key can
-- take its place. No reference to `tenant`: the entry that tells of a new tenant is sealed before the tenant is there.
create table data_key (
  id uuid primary key,
  tenant text not null unique,
  -- By a key that Postgres never sees.
  wrapped bytea,
  wrapped_by text not null,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);
grant select, insert, update (wrapped, wrapped_by, destroyed_at) on data_key to remit_runtime;

grant update (wrapped_private, wrapped_by) on signing_key to remit_runtime;

-- `sealing`: whether new entries are sealed. Off in a cell that older builds work in, which cannot read sealed ones; a new
-- cell turns it on. `keys_revision` moves with every change of the signing keys and of `sealing`: replicas look for it.
alter table cell add column sealing boolean not null default false, add column keys_revision bigint not null default 0;
grant update (sealing, keys_revision) on cell to remit_runtime;
