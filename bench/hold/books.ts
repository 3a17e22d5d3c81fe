import { createExpiring } from "../../services/pdp/src/decisions/expiring.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createComparing } from "../../services/pdp/src/policies/comparing.ts";
import { createBudgetBooksStore } from "../../services/pdp/src/stores/budget-books.ts";
import { createBudgetStore } from "../../services/pdp/src/stores/budgets.ts";
import { createPolicyStore } from "../../services/pdp/src/stores/policies.ts";
import { type Case, many } from "./catalogue.ts";
import { stored } from "./stored.ts";

const ID = "01900000-0000-7000-8000-000000000001";

const BUDGETS = `insert into budget (tenant, name, document, source, digest, revision)
  select 't', 'budget_' || i, jsonb_build_object('apiVersion', 'remit/v1', 'kind', 'Budget',
      'metadata', jsonb_build_object('name', 'budget_' || i),
      'spec', jsonb_build_object('unit', 'EUR', 'limit', '5000', 'window', 'day', 'owner', 'agent', 'enforcement', 'hard')),
    '', sha256(('b' || i)::bytea), 1 from generate_series(1, ${limits.budgetsMax}) i`;

/** Of each budget one account, of a key as long as there are any. */
const ACCOUNTS = `insert into account (tenant, budget, series, key, unit, instance, opens_at, closes_at, hard, ceiling, held, posted)
  select b.tenant, b.name, b.series, rpad('{"owner":"' || b.name, 8190, 'x') || '"}', 'EUR', sha256(b.name::bytea),
    now() - interval '1 hour', now() + interval '1 hour', true, 5000000000, 1500000, 12340000 from budget b`;
const HOLDS = `insert into hold (id, tenant, decision, session, session_day, accounts, amounts, pending, expires_at)
  select gen_random_uuid(), 't', gen_random_uuid(), gen_random_uuid(), current_date,
    (select array_agg(id) from (select id from account order by id limit ${limits.callAccountsMax}) a),
    (select array_agg(1500000::bigint) from generate_series(1, ${limits.callAccountsMax})), false, now() - interval '1 minute'
    from generate_series(1, 256) i`;
const FILL = [BUDGETS, ACCOUNTS, HOLDS];

const expiring: Case = {
  name: "books: 256 holds of 128 accounts each that run out together, read from the store",
  make: () =>
    stored(FILL, createBudgetStore, (store, tenant) =>
      createExpiring({
        // The other tenant has none.
        store: { overdueHolds: (most) => store.overdueHolds(tenant === "t" ? most : 1) },
        ledger: { record: async () => ({ outcome: "inserted" }) as never },
        charging: { heard: () => undefined } as never,
        clock: { now: () => Date.now() },
        newId: () => ID,
        onExpired: () => undefined,
      })(),
    ),
};

const standing: Case = {
  name: `books: how far ${limits.budgetsMax} budgets are, in pages`,
  make: () =>
    stored(FILL, createBudgetBooksStore, async (store, tenant) => {
      const most = limits.registeredListedMax;
      for (let from = 0; from < limits.budgetsMax && tenant === "t"; from += most) {
        await store.standings(
          tenant,
          many(most, (at) => `budget_${from + at + 1}`),
        );
      }
      if (tenant !== "t") await store.standings(tenant, ["budget_1"]);
    }),
};

const holds: Case = {
  name: "books: a page of 100 holds of 128 accounts each, read from the store",
  make: () =>
    stored(FILL, createBudgetBooksStore, (store, tenant) =>
      store.holds(tenant, { olderThanMs: 0, most: limits.holdsListedMax + 1 } as never),
    ),
};

const TOOLS = `insert into tool (tenant, name, document, source, digest, revision)
  select 't', 'tool-' || i, '{}', '', sha256(('t' || i)::bytea), 1 from generate_series(1, ${limits.toolsMax}) i`;
const AGENTS = `insert into agent (tenant, name, document, source, digest, revision)
  select 't', 'agent-' || i, '{}', '', sha256(('a' || i)::bytea), 1 from generate_series(1, ${limits.agentsMax}) i`;

const comparing: Case = {
  name: "policies: comparing what is held with what is stored, 100,000 agents, 20,000 tools and 10,000 budgets",
  make: () =>
    stored([BUDGETS, TOOLS, AGENTS], createPolicyStore, async (store, tenant) => {
      const { fingerprint, revisions } = await store.fingerprint(tenant);
      const snapshot = { tenant, fingerprint, revisions, settings: { status: "active" } };
      await createComparing({
        ...{ store, held: () => [snapshot] as never, compiling: () => false, log: { warn: () => {} } as never },
        reload: async () => undefined,
      }).compare();
    }),
};

/** What is read of the books, and compared, at the limits. */
export const books: readonly Case[] = [expiring, standing, holds, comparing];
