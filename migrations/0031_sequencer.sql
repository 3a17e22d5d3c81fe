-- oldest-build: 0003
-- One order for the records of the cell: each has a place in it, from 1 on, without gaps. Only digests stand here.

-- How many places are given. Its row is what keeps two from giving places at once.
create table tree_head (
  one boolean primary key default true check (one),
  size bigint not null default 0 check (size >= 0),
  moved_at timestamptz not null default now()
);
insert into tree_head default values;
grant select, update (size, moved_at) on tree_head to remit_runtime;

-- How far each writer's records have their places: all up to n, and none after. `day` is that of the record n, so that no
-- partition is looked at that was sequenced long ago; `ended`: the writer was shut out, and all of its records have theirs.
create table seq_cursor (
  writer bigint primary key,
  n bigint not null default 0 check (n >= 0),
  day date not null default '-infinity',
  ended boolean not null default false
);
create index seq_cursor_open on seq_cursor (writer) where not ended;
grant select, update (n, day, ended) on seq_cursor to remit_runtime;

-- A place: which record, and its digest. It stays when the record's partition is gone.
create table leaf (
  seq bigint primary key check (seq > 0),
  writer bigint not null,
  n bigint not null check (n > 0),
  digest bytea not null check (octet_length(digest) = 32),
  unique (writer, n)
);
grant select, insert on leaf to remit_runtime;

-- Whatever build gives birth to a writer, its records are sequenced.
create function remit_follow_writer() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  insert into seq_cursor (writer) values (new.writer);
  return null;
end
$$;
revoke execute on function remit_follow_writer() from public;
create trigger writer_followed after insert on writer for each row execute function remit_follow_writer();

-- The writers that are there: their first records may have gone with their partitions. The trigger's lock on the table has
-- waited for those who were being born, so none is missed.
insert into seq_cursor (writer, n, day)
select w.writer, coalesce(f.n, 1) - 1, coalesce(f.day, '-infinity')
from writer w left join lateral (select r.n, r.day from record r where r.writer = w.writer order by r.n limit 1) f on true;
