-- oldest-build: 0003
-- Accounts of windows that are over: what a call is reported to have cost in a unit in which nothing was held for it is
-- charged to the window that it was decided in. Opens nothing that is to come.
create function remit_open_accounts_then(owner text, budgets text[], keys text[], moment timestamptz)
  returns table (i integer, id bigint, unit text, hard boolean, opens_at timestamptz, closes_at timestamptz,
    most bigint, held bigint, posted bigint, overage bigint, frozen boolean)
  language sql security definer
  set search_path = pg_catalog, public, pg_temp
as $$
  select * from remit_open_accounts_at(owner, budgets, keys, least(moment, now()))
$$;
revoke execute on function remit_open_accounts_then(text, text[], text[], timestamptz) from public;
grant execute on function remit_open_accounts_then(text, text[], text[], timestamptz) to remit_runtime;
