-- oldest-build: 0003
-- What one record does that is committed alone, as a few statements by index that are planned once a connection; and less to
-- ask each time that an account moves.

-- The commit of one record, as the statement in the service's stores/ledger-statement.ts or, where it charges accounts,
-- stores/whole-statement.ts makes it: what these ask is asked here, and locks are taken in their order (the writer, the hold that
-- ends, the accounts by id, the key). Where the record is not to be committed as it is, nothing is done and null is answered: the
-- service then sends the statement that says why. 'dead': its writer is not alive. Else what its accounts hold after it, as that
-- statement says it, empty where it charges none.
--
-- `accounts_of` is null where it charges nothing, and has an account once. `ended` is the hold that it ends, of the decision `had`;
-- where it is null and accounts are charged it takes a hold, until `hold_until`. `posted_of` is null where nothing is spent.
--
-- Each statement has a snapshot of its own, later than all locks before it. To be called in a transaction that is READ COMMITTED,
-- and by the runtime role, whose rights are all that it has. It has no search_path of its own: setting one takes time, and the
-- service's statements go by that of their connection too.
create function remit_commit_alone(of_writer bigint, base bigint, of_day date, of_tenant text, of_session uuid, of_key bytea,
    of_id uuid, of_request bytea, of_kind text, of_subject uuid, judged_under bigint, expires timestamptz, of_digest bytea,
    of_body bytea, of_aside bytea, of_run uuid, of_trail text, accounts_of bigint[], held_of bigint[], posted_of bigint[],
    ended uuid, had uuid, hold_until timestamptz, waits boolean)
  returns text
  language plpgsql
as $$
declare
  place bigint;
  least_revision bigint;
  fit integer;
  ids bigint[];
  mosts bigint[];
  hards boolean[];
  helds bigint[];
  posteds bigint[];
  balances text := '';
begin
  -- Whoever shuts the writer out waits for this commit, and after that none finds it alive.
  select nextval('record_ord'), (select r.security from revision r where r.tenant = of_tenant) into place, least_revision
    from writer w where w.writer = of_writer and w.alive for no key update;
  if not found then
    return 'dead';
  end if;
  if judged_under < coalesce(least_revision, 0) then
    return null;
  end if;

  if ended is not null then
    perform from hold h where h.id = ended and h.tenant = of_tenant and h.decision = had for update;
    if not found then
      return null;
    end if;
  end if;

  if accounts_of is not null then
    select count(*) filter (where l.fits), array_agg(l.id), array_agg(l.most), array_agg(l.hard), array_agg(l.held), array_agg(l.posted),
        string_agg(concat_ws(',', l.id, l.most, l.held, l.posted, l.overage, l.frozen::int, l.alarm), ';')
      into fit, ids, mosts, hards, helds, posteds, balances
      from (
        select a.id, a.held + w.held as held, a.posted + coalesce(w.posted, 0) as posted, a.overage, a.alarm,
            coalesce(a.own_limit, b.limit_micros, 0) as most, coalesce(b.hard, a.hard) as hard,
            a.frozen or coalesce(b.frozen, false) as frozen,
            a.tenant = of_tenant and (ended is not null or (
              (a.budget is null or b.name is not null) and a.opens_at <= now() and now() < a.closes_at
              and not (a.frozen or coalesce(b.frozen, false))
              -- The most that an account may count with what it lets in is 2^62 millionths, whatever its limit.
              and (w.held = 0 or w.held <= case when coalesce(b.hard, a.hard)
                  then least(coalesce(a.own_limit, b.limit_micros, 0), a.alarm) else 4611686018427387904 end
                - a.held::numeric - a.posted - a.overage))) as fits
          from unnest(accounts_of, held_of, posted_of) as w (account, held, posted)
            join account a on a.id = w.account
            left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
         order by a.id for no key update of a
      ) l;
    if fit <> cardinality(accounts_of) then
      return null;
    end if;
  end if;

  insert into call (day, tenant, session, key, id, digest)
    values (of_day, of_tenant, of_session, of_key, of_id, of_request)
    on conflict (day, tenant, session, key) do nothing;
  if not found then
    return null;
  end if;

  -- After this line nothing is asked: what is recorded moves.
  insert into record (day, writer, n, ord, id, tenant, session, kind, subject, expires_at, digest, body, aside, run, trail,
      accounts, held, posted)
    values ((now() at time zone 'utc')::date, of_writer, base + 1, place, of_id, of_tenant, of_session, of_kind, of_subject, expires,
      of_digest, of_body, of_aside, of_run, of_trail, accounts_of, held_of, posted_of);
  if accounts_of is not null then
    update account a set held = l.held, posted = l.posted, hard = l.hard,
        ceiling = greatest(l.most, case when l.hard then least(a.ceiling, l.held + l.posted) else l.held + l.posted end)
      from unnest(ids, mosts, hards, helds, posteds) as l (id, most, hard, held, posted)
     where a.id = l.id;
    if ended is null then
      insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
        values (of_id, of_tenant, of_id, of_session, of_day, accounts_of, held_of, waits, hold_until);
    else
      delete from hold h where h.id = ended;
    end if;
  end if;
  return balances;
end
$$;
revoke execute on function remit_commit_alone(bigint, bigint, date, text, uuid, bytea, uuid, bytea, text, uuid, bigint, timestamptz,
  bytea, bytea, bytea, uuid, text, bigint[], bigint[], bigint[], uuid, uuid, timestamptz, boolean) from public;
grant execute on function remit_commit_alone(bigint, bigint, date, text, uuid, bytea, uuid, bytea, text, uuid, bigint, timestamptz,
  bytea, bytea, bytea, uuid, text, bigint[], bigint[], bigint[], uuid, uuid, timestamptz, boolean) to remit_runtime;

-- Every CHECK of a table is read and made ready anew by each statement that changes a row of it. What of an account is fixed when
-- it is opened, or is changed by operators alone, is asked where that is set; what moves is asked by CHECKs at every move, as before.
create function remit_guard_account_set() returns trigger
  language plpgsql
  set search_path = pg_catalog, public, pg_temp
as $$
begin
  if (octet_length(new.key) <= 8192 and octet_length(new.instance) = 32 and new.opens_at < new.closes_at
      and (new.budget is null) = (new.series is null)
      and (new.budget is not null or (new.session is not null and new.own_limit is not null))
      and new.own_limit between 0 and 2305843009213693952 and new.alarm between 0 and 2305843009213693952
      and octet_length(new.freeze_reason) <= 4096 and octet_length(new.crowd) = 32 and new.nth > 0) is false then
    raise exception 'this is no account that there may be' using errcode = '23514', constraint = tg_name, table = tg_table_name;
  end if;
  return null;
end
$$;
revoke execute on function remit_guard_account_set() from public;
grant execute on function remit_guard_account_set() to remit_runtime;
create trigger account_set after insert or update of key, instance, opens_at, closes_at, budget, series, session, own_limit, alarm,
    freeze_reason, crowd, nth on account
  for each row execute function remit_guard_account_set();
alter table account
  drop constraint account_key_check,
  drop constraint account_instance_check,
  drop constraint account_check,
  drop constraint account_check1,
  drop constraint account_check2,
  drop constraint account_own_limit_check,
  drop constraint account_alarm_check,
  drop constraint account_freeze_reason_check,
  drop constraint account_crowd_check,
  drop constraint account_nth_check;

-- As before; what sets neither column does not ask whether they changed.
create or replace trigger account_guard after update of own_limit, frozen on account
  for each row when (new.own_limit is distinct from old.own_limit or (old.frozen and not new.frozen))
  execute function remit_guard_account();
