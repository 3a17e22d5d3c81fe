import type { QueryArrayConfig } from "pg";
import { accountTakesMax } from "../foundation/balance.ts";
import type { Charge, Move, NewRecord } from "../ledger/index.ts";
import { int8Array, textArray, timestamptzArray, uuidArray } from "./binary-array.ts";
import { recordParameters } from "./ledger-statement.ts";

/**
 * The commit of a batch that charges budgets and fits as a whole, which is what most batches do: it takes holds, ends some,
 * and nothing of it is left out. What it does to an account is added up before it is sent, so the statement asks each account
 * once and not each record of each account. Locks are taken in the order of the statement in `charged-statement.ts`, and what
 * it asks is the same, of sums: it fits where that would leave out no record for its account or hold.
 *
 * Where one does not fit, or was judged too long ago, nothing is done and `fits` is not true: the batch is then sent with the
 * other statement, which says of each record why. A key that is taken is seen only when it is inserted: what its record was to
 * move is then taken off the sums again.
 */
const statement = (ending: boolean) => {
  const ifEnding = (text: string) => (ending ? text : "");
  return `
with fence as materialized (
  select writer, nextval('record_ord') as ord from writer where writer = $1 and alive for no key update
), given as materialized (
  select day, tenant, session, key, id, request, kind, subject, expires_at, digest, body, aside, run, trail, i, fence.ord,
      ($18::bigint[])[start::int:stop::int] as accounts, ($19::bigint[])[start::int:stop::int] as held, hold_expires
      ${ifEnding(", case when hold is not null then ($29::bigint[])[start::int:stop::int] end as posted, hold, had")}
  from fence, unnest($3::date[], $4::text[], $5::uuid[], $6::bytea[], $7::uuid[], $8::bytea[], $9::text[], $10::uuid[],
      $11::bigint[], $12::timestamptz[], $13::bytea[], $14::bytea[], $15::bytea[], $16::uuid[], $17::text[], $20::bigint[],
      $21::bigint[], $22::timestamptz[]${ifEnding(", $30::uuid[], $31::uuid[]")}) with ordinality
    as given (day, tenant, session, key, id, request, kind, subject, judged_under, expires_at, digest, body, aside, run,
      trail, start, stop, hold_expires${ifEnding(", hold, had")}, i)
  where given.judged_under >= coalesce((select r.security from revision r where r.tenant = given.tenant), 0)
${ifEnding(`), kept as materialized (
  select h.id, h.tenant, h.decision from hold h
  where h.id = any(array(select hold from given where hold is not null)) order by h.id for update of h`)}
), locked as materialized (
  select a.id, a.held + s.held as held, a.posted + s.posted as posted, a.overage, a.ceiling, a.alarm,
      coalesce(a.own_limit, b.limit_micros, 0) as most, coalesce(b.hard, a.hard) as hard,
      a.frozen or coalesce(b.frozen, false) as frozen,
      a.tenant = s.tenant and (s.takes is null or (
        (a.budget is null or b.name is not null) and a.opens_at <= now() and now() < a.closes_at
        and not (a.frozen or coalesce(b.frozen, false))
        and (s.takes = 0 or s.takes <= case when coalesce(b.hard, a.hard)
            then least(coalesce(a.own_limit, b.limit_micros, 0), a.alarm) else ${accountTakesMax} end
          - a.held::numeric - a.posted - a.overage))) as fits
  from unnest($23::bigint[], $24::text[], $25::bigint[], $26::bigint[], $27::bigint[]) as s (account, tenant, takes, held, posted)
    join account a on a.id = s.account
    left join budget b on b.tenant = a.tenant and b.name = a.budget and b.series = a.series
  where (select count(*) from given) = cardinality($7::uuid[])
    ${ifEnding(`and (select count(*) from given g where hold is not null) = (
      select count(*) from given g join kept k on k.id = g.hold and k.tenant = g.tenant and k.decision = g.had)`)}
  order by a.id for no key update of a
), whole as materialized (
  select count(*) filter (where fits) = cardinality($23::bigint[]) as fits from locked
), called as (
  insert into call (day, tenant, session, key, id, digest)
  select day, tenant, session, key, id, request from given where (select fits from whole)
  order by day, tenant, session, key, i
  on conflict (day, tenant, session, key) do nothing
  returning id
), recorded as (
  insert into record (day, writer, n, ord, id, tenant, session, kind, subject, expires_at, digest, body, aside, run, trail,
      accounts, held${ifEnding(", posted")})
  select (now() at time zone 'utc')::date, $1, $2 + row_number() over (order by i), ord, id, tenant, session, kind,
      subject, expires_at, digest, body, aside, run, trail, accounts, held${ifEnding(", posted")}
  from given join called using (id)
  returning n, id
), told as materialized (
  select count(*)::int as inserted, max(n) as greatest from recorded
), missing as materialized (
  select w.account, sum(w.held) as held, coalesce(sum(w.posted), 0) as posted
  from given g, unnest(g.accounts, g.held, ${ending ? "g.posted" : "array[]::bigint[]"}) as w (account, held, posted)
  where (select inserted from told) < cardinality($7::uuid[]) and g.id not in (select id from recorded)
  group by w.account
), after as materialized (
  select l.id, l.most, l.hard, l.overage, l.ceiling, l.alarm, l.frozen,
      (l.held - coalesce(m.held, 0))::bigint as held, (l.posted - coalesce(m.posted, 0))::bigint as posted
  from locked l left join missing m on m.account = l.id
), moved as (
  update account a set held = d.held, posted = d.posted, hard = d.hard,
    ceiling = greatest(d.most, case when d.hard then least(d.ceiling, d.held + d.posted) else d.held + d.posted end)
  from after d where a.id = d.id and ((select inserted from told) = cardinality($7::uuid[])
    or d.id in (select unnest(g.accounts) from given g join recorded using (id)))
), taken as (
  insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
  select id, tenant, id, session, day, accounts, held, id = any($28::uuid[]), hold_expires
  from given join recorded using (id) where hold_expires is not null
${ifEnding(`), ended as (
  delete from hold h using given g join recorded using (id) where h.id = g.hold`)}
)
select (select count(*) from fence)::int, told.inserted, told.greatest,
  case when told.inserted < cardinality($7::uuid[])
    then coalesce((select array_agg(id::text order by n) from recorded), '{}') end,
  (select fits from whole),
  (select string_agg(id || ',' || most || ',' || held || ',' || posted || ',' || overage || ',' || frozen::int || ','
      || coalesce(alarm::text, ''), ';') from after)
from told`;
};

const STATEMENTS = { taking: statement(false), ending: statement(true) } as const;

/** What a batch does to one account. `takes`: of the records that ask whether it is open; undefined where none does. */
interface Sum {
  readonly tenant: string;
  takes: bigint | undefined;
  held: bigint;
  posted: bigint;
}

/** Whether a record only takes a hold, or only gives one back and settles it within what was held. */
export function isPlain({ hold, moves, freezes }: Charge): boolean {
  if (freezes !== undefined || moves.some(({ overage }) => overage !== 0n)) return false;
  if (hold?.step === "take") return moves.every(({ held, posted }) => held >= 0n && posted === 0n);
  return hold?.step === "end" && !hold.overdue && moves.every(({ held }) => held <= 0n);
}

function add(sums: Map<bigint, Sum>, tenant: string, { account, held, posted }: Move, takes: boolean): boolean {
  const sum = sums.get(account);
  if (!sum) {
    sums.set(account, { tenant, takes: takes ? held : undefined, held, posted });
    return true;
  }
  if (takes) sum.takes = (sum.takes ?? 0n) + held;
  sum.held += held;
  sum.posted += posted;
  return sum.tenant === tenant;
}

const INT8_MAX = 2n ** 63n - 1n;
const isInt8 = (value: bigint) => value <= INT8_MAX && value >= -INT8_MAX;

/** What a batch does to each account; undefined where one of its records does more than this statement knows. */
function sumsOf(batch: readonly NewRecord[]): Map<bigint, Sum> | undefined {
  const sums = new Map<bigint, Sum>();
  const ended = new Set<string>();
  for (const { charge, tenant } of batch) {
    if (!charge) continue;
    if (!isPlain(charge)) return undefined;
    const { hold, moves } = charge;
    if (hold?.step === "end") {
      if (ended.has(hold.hold)) return undefined;
      ended.add(hold.hold);
    }
    const takes = hold?.step === "take";
    for (const move of moves) if (!add(sums, tenant, move, takes)) return undefined;
  }
  const fit = [...sums.values()].every(({ takes = 0n, held, posted }) => [takes, held, posted].every(isInt8));
  return fit && sums.size > 0 ? sums : undefined;
}

/** Where the moves of each record stand among those of all; undefined where it charges nothing. */
function placesOf(batch: readonly NewRecord[]) {
  let stop = 0;
  return batch.map(({ charge }) => {
    if (!charge) return undefined;
    const start = stop + 1;
    stop += charge.moves.length;
    return { start: BigInt(start), stop: BigInt(stop) };
  });
}

/**
 * The commit of a batch whose ids are distinct, in the form for those that fit as a whole; undefined where a record of it does
 * more than take a hold, or end one within what it held. Throws on a record that has no such form.
 */
export function wholeQuery(writer: bigint, base: bigint, batch: readonly NewRecord[]): QueryArrayConfig | undefined {
  const sums = sumsOf(batch);
  if (!sums) return undefined;
  const rows = [...sums.values()];
  const moves = batch.flatMap(({ charge }) => charge?.moves ?? []);
  const places = placesOf(batch);
  const holds = batch.map(({ charge }) => charge?.hold);
  const ends = holds.map((hold) => (hold?.step === "end" ? hold : undefined));
  const ending = ends.some((end) => end !== undefined);
  const pending = batch.filter((_, at) => holds[at]?.step === "take" && holds[at].pending);
  return {
    name: ending ? "ledger-charge-whole-ending" : "ledger-charge-whole-taking",
    text: ending ? STATEMENTS.ending : STATEMENTS.taking,
    rowMode: "array",
    values: [
      ...recordParameters(writer, base, batch),
      int8Array(moves.map(({ account }) => account)),
      int8Array(moves.map(({ held }) => held)),
      int8Array(places.map((place) => place?.start)),
      int8Array(places.map((place) => place?.stop)),
      timestamptzArray(holds.map((hold) => (hold?.step === "take" ? hold.expiresAtMs : undefined))),
      int8Array([...sums.keys()]),
      textArray(rows.map(({ tenant }) => tenant)),
      int8Array(rows.map(({ takes }) => takes)),
      int8Array(rows.map(({ held }) => held)),
      int8Array(rows.map(({ posted }) => posted)),
      uuidArray(pending.map(({ id }) => id)),
      ...(ending ? endingParameters(moves, ends) : []),
    ],
  };
}

type End = Extract<Charge["hold"], { readonly step: "end" }>;

function endingParameters(moves: readonly Move[], ends: readonly (End | undefined)[]): Buffer[] {
  return [
    int8Array(moves.map(({ posted }) => posted)),
    uuidArray(ends.map((end) => end?.hold)),
    uuidArray(ends.map((end) => end?.decision)),
  ];
}
