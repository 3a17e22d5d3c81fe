import type { ClientBase, Pool } from "pg";
import { HORIZON_MS, TRIP_MEMORY_MS } from "../behaviour/index.ts";
import type { BreakerChange, BreakerStore } from "../decisions/index.ts";
import { leastUuidAt } from "../foundation/ids.ts";
import { touched } from "./refusal.ts";

/*
 * Of each breaker the last trip, by the index `record_trip`. A trail is `trailOf`'s; the first 48 bits of an id are its
 * time in milliseconds.
 */
const TRIP = `r.id, r.run, r.session, r.trail::jsonb ->> 1 as tool,
    case trip ->> 1 when 'session' then r.session end as whose,
    trip ->> 0 as kind, trip ->> 1 as reach, trip ->> 2 as of, (trip ->> 3)::int as level,
    (trip ->> 4)::float8 as until, (trip ->> 5)::boolean as observed,
    ('x' || translate(left(r.id::text, 13), '-', ''))::bit(48)::bigint::float8 as since
  from record r, lateral (select r.trail::jsonb -> 7) as l (trip)`;
const notSetAside = (whose: string) => `not exists (
  select from breaker_reset b where b.tenant = $1 and ${whose} and round(extract(epoch from b.reset_at) * 1000) >= t.since)`;

/*
 * Spending is an agent's, whichever of its runs tripped, and is open until its window ends: a month at most. What of it is
 * remembered is found by the index `record_spending`.
 */
const TRIPPED = `select * from (
    (select distinct on (t.run, t.whose, t.tool, t.kind, t.of, t.observed) t.*, s.agent
      from (
        select ${TRIP} where r.tenant = $1 and r.id >= $2 and r.trail like '%,["%' and r.day >= (now() at time zone 'utc')::date - 1
      ) t left join session s on s.tenant = $1 and s.id = t.session
      where t.kind <> 'spending' and ${notSetAside("b.run = t.run and coalesce(b.tool, t.tool) = t.tool")}
      order by t.run, t.whose, t.tool, t.kind, t.of, t.observed, t.id desc)
    union all
    (select distinct on (s.agent, t.of, t.observed) t.*, s.agent
      from (
        select ${TRIP} where r.tenant = $1 and r.trail like '%,["spending",%' and r.day >= (now() at time zone 'utc')::date - 32
      ) t join session s on s.tenant = $1 and s.id = t.session
      where t.until > $7 and ${notSetAside("b.agent = s.agent")}
      order by s.agent, t.of, t.observed, t.id desc)
  ) n
  where ($3::uuid is null or n.id < $3) and ($4 or n.until > $5)
  order by n.id desc limit $6`;

const RUN = `with recursive up as (
    select id, parent from session where tenant = $1 and id = $2
    union all select s.id, s.parent from session s join up on s.id = up.parent where s.tenant = $1
  ) select id from up where parent is null`;

/** What operators see of breakers. */
export function createBreakerStore(pool: Pool): BreakerStore {
  return {
    async tripped(tenant, { all, before, most }, nowMs) {
      const page = [before ?? null, all, nowMs, most];
      const values = [tenant, leastUuidAt(nowMs - HORIZON_MS), ...page, nowMs - TRIP_MEMORY_MS];
      const { rows } = await pool.query(TRIPPED, values);
      return rows.map(({ id, session, run, agent, tool, kind, reach, of, since, until, level, observed }) => ({
        ...{ decision: id, session, run, agent: agent ?? "", tool, kind, reach, level, observed },
        ...{ sinceMs: since, untilMs: until, open: until > nowMs, budget: kind === "spending" ? of : "" },
      }));
    },
    async runOf(tenant, session) {
      const { rows } = await pool.query<{ id: string }>(RUN, [tenant, session]);
      return rows[0]?.id ?? null;
    },
  };
}

/** Sets aside inside its transaction. What alarms have against an agent a trigger takes back in the same one. */
export function resetBreaker(
  client: ClientBase,
  tenant: string,
  { id, run, agent, tool, reason, atMs, by }: BreakerChange["reset"],
  revision: bigint,
): Promise<void> {
  return touched(
    client,
    `insert into breaker_reset (tenant, id, run, agent, tool, reason, reset_at, made_by, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [tenant, id, run ?? null, agent ?? null, tool ?? null, reason, new Date(atMs), by, revision],
  );
}
