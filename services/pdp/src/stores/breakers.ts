import type { ClientBase, Pool } from "pg";
import { HORIZON_MS } from "../behaviour/index.ts";
import type { BreakerChange, BreakerStore } from "../decisions/index.ts";
import { leastUuidAt } from "../foundation/ids.ts";
import { touched } from "./refusal.ts";

/*
 * Of each breaker the last trip, by the index `record_trip`. A trail is `trailOf`'s; the first 48 bits of an id are its
 * time in milliseconds.
 */
const TRIPPED = `select n.*, s.agent from (
    select distinct on (t.run, t.whose, t.tool, t.kind, t.of, t.observed) t.* from (
      select r.id, r.run, r.session, r.trail::jsonb ->> 1 as tool, case trip ->> 1 when 'session' then r.session end as whose,
          trip ->> 0 as kind, trip ->> 1 as reach, trip ->> 2 as of, (trip ->> 3)::int as level,
          (trip ->> 4)::float8 as until, (trip ->> 5)::boolean as observed,
          ('x' || translate(left(r.id::text, 13), '-', ''))::bit(48)::bigint::float8 as since
        from record r, lateral (select r.trail::jsonb -> 7) as l (trip)
       where r.tenant = $1 and r.id >= $2 and r.trail like '%,["%' and r.day >= (now() at time zone 'utc')::date - 1
    ) t
    where not exists (
      select from breaker_reset b where b.tenant = $1 and b.run = t.run and coalesce(b.tool, t.tool) = t.tool
         and round(extract(epoch from b.reset_at) * 1000) >= t.since)
    order by t.run, t.whose, t.tool, t.kind, t.of, t.observed, t.id desc
  ) n left join session s on s.tenant = $1 and s.id = n.session
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
      const values = [tenant, leastUuidAt(nowMs - HORIZON_MS), before ?? null, all, nowMs, most];
      const { rows } = await pool.query(TRIPPED, values);
      return rows.map(({ id, session, run, agent, tool, kind, reach, since, until, level, observed }) => ({
        ...{ decision: id, session, run, agent: agent ?? "", tool, kind, reach, level, observed },
        ...{ sinceMs: since, untilMs: until, open: until > nowMs },
      }));
    },
    async runOf(tenant, session) {
      const { rows } = await pool.query<{ id: string }>(RUN, [tenant, session]);
      return rows[0]?.id ?? null;
    },
  };
}

/** Sets aside inside its transaction. */
export function resetBreaker(
  client: ClientBase,
  tenant: string,
  { id, run, tool, reason, atMs, by }: BreakerChange["reset"],
  revision: bigint,
): Promise<void> {
  return touched(
    client,
    `insert into breaker_reset (tenant, id, run, tool, reason, reset_at, made_by, revision)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tenant, id, run, tool ?? null, reason, new Date(atMs), by, revision],
  );
}
