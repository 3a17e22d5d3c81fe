-- oldest-build: 0003
-- What commits, and what is committed. Calls and records are partitioned by day, only ever inserted, and never move.

create table replica (
  id uuid primary key,
  alive boolean not null default true,
  host text not null,
  started_at timestamptz not null default now()
);
grant select, insert, update (alive) on replica to remit_runtime;

-- One row and one connection each. The number is the public epoch. `last_n` is set when the writer is shut out.
create table writer (
  writer bigint generated always as identity primary key,
  replica uuid not null references replica (id),
  pid integer not null,
  alive boolean not null default true,
  last_n bigint
);
create index writer_replica on writer (replica);
grant select, insert, update (alive, last_n) on writer to remit_runtime;

-- One value a commit: a settlement follows its decision.
create sequence record_ord as bigint;
grant usage on sequence record_ord to remit_runtime;

-- `day` is the UTC day on which the session opened, so that a key is unique however long the session lives.
create table call (
  day date not null,
  tenant text not null,
  session uuid not null,
  key bytea not null check (octet_length(key) = 16),
  id uuid not null,
  digest bytea not null check (octet_length(digest) = 32),
  primary key (day, tenant, session, key)
) partition by range (day);
grant select, insert on call to remit_runtime;

-- `day` is the UTC day of the commit by the store's clock.
create table record (
  day date not null,
  writer bigint not null,
  n bigint not null check (n > 0),
  ord bigint not null,
  id uuid not null,
  tenant text not null,
  session uuid,
  kind text not null,
  -- The decision that a report is about.
  subject uuid,
  chunks bigint[],
  amounts bigint[],
  expires_at timestamptz,
  digest bytea not null check (octet_length(digest) = 32),
  body bytea not null,
  -- An input too long for the body, bound to it by its digest.
  aside bytea,
  recorded_at timestamptz not null default now(),
  primary key (writer, n, day)
) partition by range (day);
-- Bodies are sealed under a tenant's key one day and do not compress then; now it would cost the commit its time.
alter table record alter column body set storage external, alter column aside set storage external;
create index record_id on record (id);
create index record_subject on record (subject) where subject is not null;
grant select, insert on record to remit_runtime;

-- Where a row goes when nobody made its day's partition: nothing is refused, and an alarm counts (below).
create table call_default partition of call default;
create table record_default partition of record default with (toast_tuple_target = 8160);

-- Makes the partitions of today and of the given number of days ahead, in UTC; answers how many it made. Any number of
-- replicas may call it at once. A day whose rows already stand in the default partition stays there.
create function remit_ensure_partitions(days integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  parent text;
  child text;
  first date := (now() at time zone 'utc')::date;
  made integer := 0;
begin
  if days is null or days not between 0 and 60 then
    raise exception 'remit_ensure_partitions: days must be between 0 and 60, not %', days using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('remit_ensure_partitions', 0));
  foreach parent in array array['call', 'record'] loop
    for ahead in 0..days loop
      child := parent || '_' || to_char(first + ahead, 'YYYYMMDD');
      continue when to_regclass('public.' || child) is not null;
      begin
        -- Made beside the table and attached: inserts go on meanwhile. A body of up to 8 KB stays in its row.
        execute format('create table public.%I (like public.%I including defaults including constraints including storage)%s',
          child, parent, case parent when 'record' then ' with (toast_tuple_target = 8160)' else '' end);
        execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
          parent, child, first + ahead, first + ahead + 1);
        made := made + 1;
      exception
        when check_violation then null;
      end;
    end loop;
  end loop;
  return made;
end
$$;
revoke execute on function remit_ensure_partitions(integer) from public;
grant execute on function remit_ensure_partitions(integer) to remit_runtime;

-- Rows that stand in a default partition, counted up to 10,000 a table: anything but 0 is an alarm.
create function remit_default_partition_rows() returns bigint
  language sql stable security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select (select count(*) from (select from call_default limit 10000) c)
       + (select count(*) from (select from record_default limit 10000) r)
$$;
revoke execute on function remit_default_partition_rows() from public;
grant execute on function remit_default_partition_rows() to remit_runtime;

select remit_ensure_partitions(7);
