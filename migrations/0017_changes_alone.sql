-- oldest-build: 0003
-- Two ways in which one person could have passed for two, or widened alone; see docs/changes.md.

-- Whether two callers may be one pair of hands: they are the same, one has made the other, by itself or through keys that
-- it made, or one issuer vouches for the same subject behind both, as a person here and as a workload there.
create or replace function remit_same_hands(owner text, one uuid, other uuid) returns boolean
  language sql stable
  set search_path = pg_catalog, public, pg_temp
as $$
  with recursive maker (id, side) as (
    values (one, 1), (other, 2)
    union
    select above.id, m.side from maker m join caller c on c.tenant = owner and c.id = m.id
      join lateral (
        select c.created_by as id where c.created_by is not null
        union all
        select same.id from caller same
         where same.tenant = owner and same.kind <> 'key' and same.kind in ('jwt', 'spiffe', 'person')
           and same.issuer = c.issuer and same.subject = c.subject
      ) above on true
  )
  select exists (select from maker m where (m.side = 1 and m.id = other) or (m.side = 2 and m.id = one))
$$;

-- An agent or a tool that is suspended, and is otherwise as it was, may do less; and without its row nothing. But where
-- calls are only observed, a tool without a row is stopped by nothing: one that binds there does not go by itself.
create or replace function remit_guard_registered() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if tg_op = 'DELETE' and old.document #>> '{spec,mode}' is distinct from 'enforce'
     and old.document #>> '{spec,status}' is distinct from 'suspended' then
    return null;
  end if;
  if tg_op = 'UPDATE' and (new.document = old.document
      or new.document = jsonb_set(old.document, '{spec,status}', '"suspended"')) then
    return null;
  end if;
  perform remit_require_change(coalesce(new.tenant, old.tenant), tg_table_name, to_jsonb(old), to_jsonb(new),
    array['name', 'document']);
  return null;
end
$$;
create trigger tool_removal_guard after delete on tool for each row execute function remit_guard_registered();
