-- oldest-build: 0003
-- As in 0016; and a policy that names limits of breakers may hold others back: without it the defaults bind.
create or replace function remit_only_allows(document jsonb) returns boolean
  language sql immutable
  set search_path = pg_catalog, public, pg_temp
as $$
  select jsonb_typeof(document #> '{spec,rules}') = 'array' and coalesce(document #>> '{spec,language}', 'native') = 'native'
     and not jsonb_exists(document -> 'spec', 'limits')
     and not exists (select from jsonb_array_elements(document #> '{spec,rules}') r
                      where r ->> 'effect' is distinct from 'allow' or jsonb_exists(r, 'constraints'))
$$;
