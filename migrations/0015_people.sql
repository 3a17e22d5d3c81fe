-- oldest-build: 0003
-- People among the callers, and what they ask of the admin plane.

-- How a person is shown to others: what the issuer's token said at first sight. Personal data, and no identity.
alter table caller
  add column display_name text,
  add column email text,
  add constraint caller_person check (kind = 'person' or (display_name is null and email is null));

-- What the ledger tells of the admin plane, by its time, which ids sort by.
create index record_admin on record (tenant, id) where kind = 'admin';

-- An erased tenant's rows of 0014, and these.
alter function remit_erase_rows(text, integer) rename to remit_erase_rows_0014;
revoke execute on function remit_erase_rows_0014(text, integer) from remit_runtime;
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  part bigint;
  touched bigint := remit_erase_rows_0014(erased, rows);
begin
  update caller c set display_name = null, email = null
    where c.tenant = erased and (c.display_name is not null or c.email is not null);
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
