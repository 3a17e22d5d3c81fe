import type { Pool } from "pg";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createKeeping } from "../../services/pdp/src/identities/index.ts";
import { createKnownSessions } from "../../services/pdp/src/identities/known-sessions.ts";
import { createFollowing } from "../../services/pdp/src/policies/following.ts";
import { createNewsReader, newsQuery } from "../../services/pdp/src/stores/news-query.ts";
import { type Case, many } from "./catalogue.ts";
import { stored } from "./stored.ts";
import { prepareWith } from "./turns.ts";

const TENANTS_MANY = 10_000;
const TENANTS = `with made as (insert into tenant (id) select 'tenant-' || i from generate_series(1, ${TENANTS_MANY}) i returning id)
  insert into revision (tenant, security, policy) select id, 1000000, 1000000 from made`;
const CALLER = `insert into caller (id, tenant, name, key_hash, roles, agents, may_assert_principals, created_at, revision)
  values ('01900000-0000-7000-8000-000000000001', 't', 'c', sha256('c'), '{}', '{}', false, now(), 1)`;
const SESSIONS = (
  count: number,
) => `insert into session (id, tenant, agent, principal_id, principal_verified, state, depth,
    opened_at, expires_at, opened_by, revision)
  select gen_random_uuid(), 't', 'clerk', 'mia', false, 'open', 0, now(), now() + interval '1 hour',
    '01900000-0000-7000-8000-000000000001', 1 from generate_series(1, ${count})`;

const following = () =>
  createFollowing({
    clock: { now: () => 1 },
    log: { warn: () => {} } as never,
    held: () =>
      many(
        100,
        (at) => ({ tenant: `tenant-${at + 1}`, revisions: { security: 1_000_000n, policy: 1_000_000n } }) as never,
      ),
    secured: async () => undefined as never,
    compiling: () => false,
    sought: () => undefined,
  });

const polling = (name: string, fill: readonly string[]): Case => ({
  name: `news: ${name}`,
  make: () =>
    stored(
      fill,
      (pool: Pool) => ({ pool, follow: following(), readNews: createNewsReader() }),
      async ({ pool, follow, readNews }, tenant) => {
        // A snapshot from before everything that is there, or, to warm up, from after it.
        const { rows } = await pool.query("select pg_current_snapshot()::text as now");
        const before = tenant === "t" ? "3:3:" : String(rows[0]?.now);
        const answer = await pool.query(newsQuery(before));
        const { news } = await readNews(answer.rows);
        return follow.polled(news.revisions, 1);
      },
    ),
});

const link = (at: number) => ({ id: `above-${at}`, agent: "clerk", state: "open", labels: {}, expiresAtMs: 1e15 });
const sessionAt = (at: number) => ({
  ...{ id: `s${at}`, tenant: "t", agent: "clerk", state: "open", depth: 8, expiresAtMs: 1e15 },
  ...{ ancestors: many(8, (of) => link(of === 0 ? 0 : at * 8 + of)) },
});

/** Sessions are known, and something is told of them. */
const known = (
  name: string,
  count: number,
  telling: () => (sessions: ReturnType<typeof createKnownSessions>) => unknown,
): Case => ({
  name: `news: ${name}`,
  make: () => {
    const told = telling();
    const keeping = createKeeping({ security: () => 1n, catchUp: async () => {} });
    const store = {
      session: async (_: string, id: string) => ({ row: sessionAt(Number(id.slice(1))), security: 1n, signers: ["k"] }),
    };
    const sessions = createKnownSessions({ store: store as never, keeping, sessionsMax: 100_000 });
    return prepareWith(
      async (pause) => {
        for (let at = 0; at < count; at++) {
          await sessions.load("t", `s${at}`, false);
          if (at % 1_000 === 0) await pause();
        }
      },
      () => told(sessions),
    );
  },
});
const NOBODY = { open: new Set<string>(), closed: new Set<string>(), revoked: new Set<string>() };
const telling = (state: "revoked" | "open") => {
  const changed = { ...NOBODY, [state]: new Set(many(limits.delegationsClosedMax, (at) => `s${at}`)) };
  return (sessions: ReturnType<typeof createKnownSessions>) => sessions.told(changed);
};

/** What a look at the store brings, at the limits. */
export const news: readonly Case[] = [
  polling(`${TENANTS_MANY} tenants`, [TENANTS]),
  polling(`${limits.delegationsClosedMax} sessions that were revoked`, [
    ...[CALLER, SESSIONS(limits.delegationsClosedMax), "update session set state = 'revoked', closed_at = now()"],
  ]),
  known("10,000 of 20,000 known sessions were revoked", 20_000, () => telling("revoked")),
  known("10,000 of 20,000 known sessions changed", 20_000, () => telling("open")),
  known(
    "a session was revoked that 20,000 known ones are below",
    20_000,
    () => (sessions) => sessions.told({ ...NOBODY, revoked: new Set(["above-0"]) }),
  ),
  known("what is known of 100,000 sessions is forgotten", 100_000, () => (sessions) => sessions.forget()),
];
