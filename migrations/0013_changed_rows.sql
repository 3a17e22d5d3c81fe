-- oldest-build: 0003
-- Which callers and sessions changed, and in which transaction: what a replica asks for that keeps their rows in memory.
--
-- A transaction's number and a snapshot tell for sure whether somebody who looked before can have seen it; a time does
-- not. Written by triggers, so that every build tells of what it changes. Null: never changed since this was written down.
alter table session add column changed xid8;
alter table caller add column changed xid8;

create function remit_row_changed() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  new.changed := pg_current_xact_id();
  return new;
end
$$;
revoke execute on function remit_row_changed() from public;
create trigger session_changed before update on session for each row execute function remit_row_changed();
create trigger caller_changed before update on caller for each row execute function remit_row_changed();

create index session_changed_at on session (changed) where changed is not null;
create index caller_changed_at on caller (changed) where changed is not null;
