import { type DecideResponse, Outcome } from "@remit/proto/decision";
import { TenantStatus, TenantUnbudgeted } from "@remit/proto/tenant";
import type { DecisionCode } from "../../src/decisions/codes.ts";
import { openSession } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";
import { MINUTE_MS, strangeDigest, type World } from "./world.ts";

type Provoke = (world: World) => Promise<DecideResponse>;

const pay = (amount: number, more = {}): Provoke => {
  return ({ decide }) => decide("payments.transfer", { amount }, more);
};

/** Asks, does something, and asks the same call again. */
function again(
  amount: number,
  between: (world: World, first: DecideResponse) => Promise<unknown>,
  afterMs = 0,
): Provoke {
  return async (world) => {
    const callId = world.id();
    const first = await pay(amount, { callId })(world);
    await between(world, first);
    return world.later(afterMs, () => pay(amount, { callId })(world));
  };
}

/** Asks in a session of its own, to which something happens before. */
function inSession(happens: (world: World, sessionId: string) => Promise<unknown>, opening = {}): Provoke {
  return async (world) => {
    const { session, headers } = await openSession(world.house, opening);
    await happens(world, session.id);
    return world.decide("payments.transfer", { amount: 1 }, {}, headers);
  };
}

function inTenant(name: string, status: TenantStatus): Provoke {
  return async (world) => {
    const { tenants } = world.house.clients;
    const { headers } = await openSession(await world.tenant(name));
    await tenants.updateTenant({ tenant: name, status }, { headers: world.owner });
    return world.decide("invoices.read", {}, {}, headers);
  };
}

/** The headers of a session that the clerk delegated to a helper, and which session they come from. */
async function delegated(world: World) {
  await world.put("Agent", "helper", "labels: {}");
  const { session, headers } = await openSession(world.house);
  const delegation = { agent: "helper", scope: { tools: ["invoices.read"] } };
  const { token } = await world.house.clients.sessions.delegate(delegation, { headers });
  return { parent: session.id, headers: { ...headers, "remit-session": token } };
}

const nothing = async () => {};

/** Asks for a tool of its own that a budget of 10 EUR covers; `before` is done first. */
function spending(
  name: string,
  value: string,
  before: (world: World, tool: string) => Promise<unknown> = nothing,
): Provoke {
  return async (world) => {
    const tool = `codes.spends.${name}`;
    await world.put("Tool", tool, "risk: write");
    await world.put("Budget", name, `{ unit: EUR, limit: "10", window: lifetime, owner: { tool: ${tool} } }`);
    await before(world, tool);
    return world.decide(tool, {}, eur(value));
  };
}

const eur = (value: string) => ({ estimate: value === "" ? [] : [{ unit: "EUR", value }] });

/** Asks for the same call in a session of its own until a breaker has had enough. */
function stoppedAfter(times: number, { limits }: { readonly limits: string }): Provoke {
  return async (world) => {
    const name = `codes.busy-${world.id()}`;
    await world.put("Tool", name, `risk: read\n  ${limits}`);
    const { headers } = await openSession(world.house);
    for (let time = 0; time < times; time++) await world.decide(name, {}, {}, headers);
    return world.decide(name, {}, {}, headers);
  };
}

/** An agent that has spent 1 EUR in each of three days asks for 9. */
const jumps: Provoke = async (world) => {
  await world.put("Agent", "jumper", "labels: {}");
  const watched = 'owner: { agent: jumper }, anomaly: { windowsMin: 3, floor: "2" }';
  await world.put("Budget", "jumps", `{ unit: EUR, limit: "10", window: day, ${watched} }`);
  await withClient(world.house.database.superuserUrl, async (pg) => {
    for (const day of [3, 2, 1]) {
      await pg.query(
        `select remit_open_accounts_at('default', array['jumps'], array[''], now() - interval '1 day' * ${day})`,
      );
    }
    await pg.query("update account set posted = 1000000 where budget = 'jumps'");
  });
  const { headers } = await openSession(world.house, { agent: "jumper" });
  return world.decide("invoices.read", {}, eur("9"), headers);
};

/** How each code of a decision is provoked, through the front door. */
export const decisionRows: Readonly<Partial<Record<DecisionCode, Provoke>>> = {
  rule_allowed: pay(5),
  rule_transformed: ({ decide }) => decide("fs.write_file", { path: "/etc/passwd" }),
  clarified: async (world) => {
    const callId = world.id();
    await pay(13, { callId })(world);
    return pay(13, { callId, answers: { case: "answersObject", value: { memo: "cake" } } })(world);
  },
  observed: async (world) => {
    await world.put("Agent", "watched", "mode: observe");
    const { headers } = await openSession(world.house, { agent: "watched" });
    return world.decide("records.delete", {}, {}, headers);
  },
  approval_required: pay(600),
  facts_missing: pay(13),
  no_rule_matched: ({ decide }) => decide("records.delete", {}),
  rule_denied: pay(20_000),
  evaluation_error: ({ decide }) => decide("codes.broken", {}),
  transform_conflict: ({ decide }) => decide("codes.torn", {}),
  transform_invalid: ({ decide }) => decide("codes.forced", { path: "a" }),
  constraint_unsupported: ({ decide }) => decide("invoices.read", {}, { supportedConstraints: [] }),
  tool_unknown: ({ decide }) => decide("rockets.launch", {}),
  tool_suspended: ({ decide }) => decide("codes.suspended", {}),
  tool_schema_changed: pay(5, { toolSchemaDigest: strangeDigest }),
  input_invalid: ({ decide }) => decide("payments.transfer", { amount: "many" }),
  scope_exceeded: inSession(nothing, { scope: { tools: ["invoices.*"] } }),
  depth_exceeded: async (world) => {
    const { headers } = await delegated(world);
    const quotas = (delegationDepth: number) =>
      world.house.clients.tenants.updateTenant(
        { tenant: "default", quotas: { delegationDepth } },
        { headers: world.owner },
      );
    await quotas(0);
    const answer = await world.decide("invoices.read", {}, {}, headers);
    await quotas(4);
    return answer;
  },
  delegation_expired: async (world) => {
    const { parent, headers } = await delegated(world);
    // A token never outlives its session, so it takes a parent whose end was brought forward to see this.
    const end = "update session set expires_at = opened_at + interval '1 minute' where id = $1";
    await withClient(world.house.database.superuserUrl, (pg) => pg.query(end, [parent]));
    return world.later(2 * MINUTE_MS, () => world.decide("invoices.read", {}, {}, headers));
  },
  session_closed: inSession(({ house, owner }, sessionId) =>
    house.clients.sessions.closeSession({ sessionId }, { headers: owner }),
  ),
  session_revoked: inSession(({ house, owner }, sessionId) =>
    house.clients.revocations.revoke(
      { subject: { subject: { case: "session", value: sessionId } }, reason: "stolen" },
      { headers: owner },
    ),
  ),
  principal_suspended: ({ house, decide, revoked }) => {
    const onBehalfOf = { case: "principal", value: { id: "mallory" } } as const;
    const opened = openSession(house, { onBehalfOf });
    return opened.then(({ headers }) =>
      revoked({ case: "principal", value: "mallory" }, () => decide("invoices.read", {}, {}, headers)),
    );
  },
  halted: ({ house, decide, revoked }) =>
    openSession(house, { labels: { wing: "east" } }).then(({ headers }) =>
      revoked({ case: "labels", value: { matchLabels: { wing: "east" } } }, () =>
        decide("invoices.read", {}, {}, headers),
      ),
    ),
  agent_suspended: async (world) => {
    await world.put("Agent", "sleeper", "status: active");
    const { headers } = await openSession(world.house, { agent: "sleeper" });
    await world.put("Agent", "sleeper", "status: suspended");
    return world.decide("invoices.read", {}, {}, headers);
  },
  tenant_suspended: inTenant("suspended", TenantStatus.SUSPENDED),
  tenant_closing: inTenant("closing", TenantStatus.CLOSING),
  already_executed: again(5, ({ house, headers }, { decisionId }) =>
    house.clients.decisions.report(
      { subject: { case: "decisionId", value: decisionId }, outcome: Outcome.SUCCEEDED },
      { headers },
    ),
  ),
  budget_exhausted: spending("exhausted", "10.000001"),
  budget_frozen: spending("frozen", "1", ({ house }) =>
    withClient(house.database.superuserUrl, (pg) => pg.query("update budget set frozen = true where name = 'frozen'")),
  ),
  budget_unavailable: async (world) => {
    const once = spending("busy", "1");
    await once(world);
    return withClient(world.house.database.superuserUrl, async (pg) => {
      await pg.query("begin");
      await pg.query("select from account where budget = 'busy' for update");
      return world.decide("codes.spends.busy", {}, eur("1"));
    });
  },
  account_limit: spending("crowded", "1", async (world, tool) => {
    const each = `{ unit: EUR, limit: "10", window: lifetime, owner: { tool: ${tool} }, per: [input.customer] }`;
    await world.put("Budget", "crowds", each);
    await world.decide(tool, { customer: "a" }, eur("1"));
    await withClient(world.house.database.superuserUrl, (client) =>
      client.query("update account set nth = 100000 where budget = 'crowds'"),
    );
  }),
  estimate_missing: spending("unpriced", ""),
  no_budget: async (world) => {
    const unbudgeted = (how: TenantUnbudgeted) =>
      world.house.clients.tenants.updateTenant({ tenant: "default", unbudgeted: how }, { headers: world.owner });
    await unbudgeted(TenantUnbudgeted.DENY);
    const answer = await world.decide("invoices.read", {}, eur("1"));
    await unbudgeted(TenantUnbudgeted.ALLOW);
    return answer;
  },
  decision_expired: again(5, nothing, 2 * MINUTE_MS),
  approval_expired: again(600, nothing, 16 * MINUTE_MS),
  loop_detected: stoppedAfter(10, { limits: "" }),
  rate_limited: stoppedAfter(2, { limits: "limits: { perSecond: 2 }" }),
  anomalous_spend: jumps,
};
