-- oldest-build: 0003
-- What is left of a tenant whose data key was destroyed.

-- Blanks what a tenant's rows say of people and of its business, at most `rows` of each kind; answers how many it
-- touched, 0 when nothing is left. Only for a tenant whose key was destroyed. What stays: ids, times, digests, numbers,
-- states. Entries from before sealing was turned on lose their text; the one that tells of the erasure keeps it.
create function remit_erase_rows(erased text, rows integer) returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, public, pg_temp
  set lock_timeout = '2s'
as $$
declare
  since timestamptz;
  part bigint;
  touched bigint := 0;
begin
  select k.destroyed_at into since from data_key k where k.tenant = erased and k.destroyed_at is not null;
  if since is null then
    raise exception 'the data key of this tenant was not destroyed' using errcode = '55000';
  end if;

  update session s set principal_id = 'erased', principal_verified = false, principal_labels = '{}', purpose = '',
      labels = '{}', scope = null, run_id = null, details = '{}',
      state = case s.state when 'open' then 'revoked' else s.state end, closed_at = coalesce(s.closed_at, now())
    where s.id in (
      select o.id from session o where o.tenant = erased and (o.state = 'open' or o.run_id is not null
          or o.scope is not null or o.purpose <> '' or o.principal_id <> 'erased' or o.principal_labels <> '{}'
          or o.labels <> '{}' or o.details <> '{}')
      limit rows);
  get diagnostics part = row_count;
  touched := touched + part;

  update record r set body = '', aside = null
    where (r.day, r.writer, r.n) in (
      select e.day, e.writer, e.n from call c join record e on e.id = c.id
       where c.tenant = erased and e.tenant = erased and e.recorded_at < since
         and (get_byte(e.body || '\x00', 0) = 123 or get_byte(coalesce(e.aside, '\x00') || '\x00', 0) = 123)
      limit rows);
  get diagnostics part = row_count;
  touched := touched + part;

  update caller c set name = 'erased-' || c.id, agents = '{}', revoked = true
    where c.tenant = erased and (not c.revoked or c.agents <> '{}' or c.name <> 'erased-' || c.id);
  get diagnostics part = row_count;
  touched := touched + part;

  delete from active_policy a where a.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from policy_version v where v.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from tool t where t.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  delete from agent a where a.tenant = erased;
  get diagnostics part = row_count;
  touched := touched + part;
  update tenant t set observe_agents = '[]' where t.id = erased and t.observe_agents <> '[]';
  get diagnostics part = row_count;
  return touched + part;
end
$$;
revoke execute on function remit_erase_rows(text, integer) from public;
grant execute on function remit_erase_rows(text, integer) to remit_runtime;
