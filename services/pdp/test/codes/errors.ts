import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { HoldEnd } from "@remit/proto/admin";
import { Outcome } from "@remit/proto/decision";
import { Health } from "@remit/proto/health";
import { TenantMode, TenantStatus } from "@remit/proto/tenant";
import { limits } from "../../src/foundation/limits.ts";
import type { ErrorReason } from "../../src/foundation/reasons.ts";
import { openStream } from "../support/exchange-stream.ts";
import { openSession } from "../support/pdp.ts";
import { MINUTE_MS, type World } from "./world.ts";

/** Makes a call that fails. */
type Provoke = (world: World) => Promise<unknown>;
/** A reason whose set-up is a test of its own: the file that expects it. */
interface Elsewhere {
  readonly file: string;
}

const nobody = "01890000-0000-7000-8000-000000000000";
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** The headers of another caller, with a key made for it. */
async function caller({ house, owner, id }: World, more: { agents?: string[]; roles?: string[] } = {}) {
  const { key } = await house.clients.callers.createKey({ name: `caller ${id()}`, ...more }, { headers: owner });
  return bearer(key);
}

const pay = ({ decide }: World, more = {}, headers?: Readonly<Record<string, string>>) =>
  decide("payments.transfer", { amount: 5 }, more, headers);

const setTenant = ({ house, owner }: World, tenant: string, status: TenantStatus) =>
  house.clients.tenants.updateTenant({ tenant, status }, { headers: owner });

/** A tenant that tries a version for one session of a hundred. */
async function trying(world: World, tenant: string) {
  const { clients, ownerKey } = await world.tenant(tenant);
  const headers = bearer(ownerKey);
  const rules = '{ rules: [{ id: r, match: { tools: ["*"] }, effect: deny }] }';
  const text = `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: house }\nspec: ${rules}\n`;
  await clients.policies.publishPolicies({ files: [{ file: "p", text }] }, { headers });
  const choices = [{ policy: "house" }];
  await clients.rollouts.startRollout({ choices, shareBasisPoints: 100 }, { headers });
  return { headers, clients };
}

/** A tenant in which what widens takes two people, and two owners of it. */
async function twoPeople(world: World, tenant: string) {
  const { clients, ownerKey } = await world.tenant(tenant);
  const key = async (name: string) =>
    bearer((await clients.callers.createKey({ name, roles: ["owner"] }, { headers: bearer(ownerKey) })).key);
  const [ada, bob] = [await key("ada"), await key("bob")];
  await clients.tenants.updateTenant({ people: 2 }, { headers: ada });
  return { clients, ada, bob };
}

/** A change that one of them has proposed. */
async function proposed(world: World, tenant: string) {
  const { clients, ada, bob } = await twoPeople(world, tenant);
  const method = "remit.v1.TenantService/UpdateTenant";
  const message = { mode: "TENANT_MODE_OBSERVE" };
  const { change } = await clients.changes.proposeChange({ method, message }, { headers: ada });
  return { clients, ada, bob, changeId: change?.id ?? "", digest: change?.digest ?? "" };
}

function openIn(tenant: string, status: TenantStatus): Provoke {
  return async (world) => {
    const other = await world.tenant(tenant);
    await setTenant(world, tenant, status);
    return openSession(other);
  };
}

/** Delegates from a session that may read invoices. */
async function delegate(world: World, asked: object, maxDepth = 1): Promise<unknown> {
  await world.put("Agent", "helper", "labels: {}");
  const { headers } = await openSession(world.house, { scope: { tools: ["invoices.*"], maxDepth } });
  const delegation = { agent: "helper", scope: { tools: ["invoices.read"] }, ...asked };
  return world.house.clients.sessions.delegate(delegation, { headers });
}

/** Renews a session to which something has happened. */
function renew(happens: (world: World, sessionId: string) => Promise<unknown>): Provoke {
  return async (world) => {
    const { sessions } = world.house.clients;
    const { session } = await openSession(world.house);
    await happens(world, session.id);
    return sessions.renewSession({ sessionId: session.id }, { headers: world.owner });
  };
}

async function publishWhatNoLongerFits(world: World): Promise<unknown> {
  const { policies } = world.house.clients;
  const schema = (property: string) =>
    `risk: read\n  inputSchema: { type: object, additionalProperties: false, properties: { ${property}: { type: number } } }`;
  await world.put("Tool", "codes.resized", schema("size"));
  const rule = "{ id: big, match: { tools: [codes.resized] }, when: input.size > 5, effect: deny }";
  const text = `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: resized }\nspec: { rules: [${rule}] }\n`;
  await policies.publishPolicies({ files: [{ file: "resized.yaml", text }] }, { headers: world.owner });
  await world.put("Tool", "codes.resized", schema("length"));
  return policies.activatePolicies({ choices: [{ policy: "resized" }] }, { headers: world.owner });
}

async function unknownHandle({ house }: World): Promise<unknown> {
  const stream = openStream(house);
  const answer = await stream.ask(1n, { case: "report", value: { handle: 7, report: { outcome: Outcome.SUCCEEDED } } });
  await stream.end();
  return { errors: answer.case === "error" ? [answer.value] : [] };
}

const requests: Readonly<Record<string, Provoke>> = {
  request_invalid: (world) => pay(world, { callId: "" }),
  number_out_of_range: (world) =>
    pay(world, { input: { case: "inputJson", value: Buffer.from('{"amount":9007199254740993}') } }),
  message_too_large: (world) =>
    pay(world, { input: { case: "inputJson", value: Buffer.alloc(limits.messageBytesMax + 1, 32) } }),
  call_id_reused: async (world) => {
    const callId = world.id();
    await pay(world, { callId });
    return world.decide("payments.transfer", { amount: 6 }, { callId });
  },
  decision_unknown: ({ house, owner }) => house.clients.ledger.getDecision({ decisionId: nobody }, { headers: owner }),
  stale_policy: (world) => pay(world, { minRevision: 1_000_000n }),
  handle_unknown: unknownHandle,
  service_unknown: ({ house }) => {
    const transport = createGrpcTransport({ baseUrl: `http://${house.pdp.grpcAddress}` });
    return createClient(Health, transport).check({ service: "remit.v1.TimeMachine" });
  },
};

const identities: Readonly<Record<string, Provoke>> = {
  token_invalid: (world) => pay(world, {}, bearer("rmt_no-such-key")),
  token_expired: (world) => world.later(90 * MINUTE_MS, () => pay(world)),
  role_missing: async (world) => world.house.clients.agents.listAgents({}, { headers: await caller(world) }),
  agent_not_bound: async (world) => {
    const headers = await caller(world, { agents: ["somebody-else"] });
    return world.house.clients.sessions.openSession({ agent: "clerk" }, { headers });
  },
  principal_not_assertable: async (world) => {
    const headers = await caller(world, { agents: ["*"] });
    const onBehalfOf = { case: "principal", value: { id: "ada" } } as const;
    return world.house.clients.sessions.openSession({ agent: "clerk", onBehalfOf }, { headers });
  },
  session_not_yours: async (world) => pay(world, {}, { ...world.headers, ...(await caller(world, { agents: ["*"] })) }),
  report_not_yours: async (world) => {
    const { decisionId } = await pay(world);
    const other = { ...world.headers, ...(await caller(world, { agents: ["*"], roles: ["owner"] })) };
    const subject = { case: "decisionId", value: decisionId } as const;
    return world.house.clients.decisions.report({ subject, outcome: Outcome.SUCCEEDED }, { headers: other });
  },
  session_unknown: ({ house, owner }) => house.clients.sessions.getSession({ sessionId: nobody }, { headers: owner }),
  scope_exceeded: (world) => delegate(world, { scope: { tools: ["*"] } }),
  depth_exceeded: (world) => delegate(world, {}, 0),
  delegation_circular: (world) => delegate(world, { agent: "clerk" }),
  delegation_expired: (world) =>
    delegate(world, {
      scope: { tools: ["invoices.*"], expiresAt: timestampFromMs(Date.parse("2020-01-01T00:00:00Z")) },
    }),
  session_closed: renew(({ house, owner }, sessionId) =>
    house.clients.sessions.closeSession({ sessionId }, { headers: owner }),
  ),
  session_revoked: renew(({ house, owner }, sessionId) =>
    house.clients.revocations.revoke(
      { subject: { subject: { case: "session", value: sessionId } }, reason: "stolen" },
      { headers: owner },
    ),
  ),
  principal_suspended: ({ house, revoked }) =>
    revoked({ case: "principal", value: "mallory" }, () =>
      openSession(house, { onBehalfOf: { case: "principal", value: { id: "mallory" } } }),
    ),
  halted: ({ house, revoked }) => revoked({ case: "tenant", value: true }, () => openSession(house)),
  run_id_reused: async ({ house }) => {
    await openSession(house, { runId: "once" });
    return openSession(house, { runId: "once", scope: { tools: ["*"] } });
  },
  agent_suspended: async (world) => {
    await world.put("Agent", "resting", "status: suspended");
    return openSession(world.house, { agent: "resting" });
  },
  agent_unknown: ({ house }) => openSession(house, { agent: "nobody" }),
};

const administration: Readonly<Record<string, Provoke>> = {
  tool_unknown: ({ house, owner }) => house.clients.tools.getTool({ name: "rockets.launch" }, { headers: owner }),
  policy_unknown: ({ house, owner }) =>
    house.clients.policies.activatePolicies({ choices: [{ policy: "nothing" }] }, { headers: owner }),
  revocation_unknown: ({ house, owner, id }) =>
    house.clients.revocations.lift(
      { revocationId: "00000000-0000-7000-8000-000000000000", reason: id() },
      { headers: owner },
    ),
  budget_unknown: ({ house, owner }) => house.clients.budgets.deleteBudgets({ names: ["nothing"] }, { headers: owner }),
  account_unknown: ({ house, owner, id }) =>
    house.clients.budgets.freezeBudget({ accountId: "999999999", reason: id() }, { headers: owner }),
  hold_unknown: ({ house, owner, id }) =>
    house.clients.budgets.resolveHold(
      { holdId: "00000000-0000-7000-8000-000000000000", as: HoldEnd.SPENT, reason: id() },
      { headers: owner },
    ),
  group_unknown: ({ house, owner }) => house.clients.groups.deleteGroups({ names: ["nothing"] }, { headers: owner }),
  policy_invalid: publishWhatNoLongerFits,
  policy_draft: async ({ house, owner }) => {
    const rules = '{ rules: [{ id: r, match: { tools: ["*"] }, effect: deny }] }';
    const text = `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: unfinished }\nspec: ${rules}\n`;
    await house.clients.policies.publishPolicies({ files: [{ file: "p", text }], draft: true }, { headers: owner });
    return house.clients.policies.activatePolicies({ choices: [{ policy: "unfinished" }] }, { headers: owner });
  },
  rollout_exists: async (world) => {
    const { headers, clients } = await trying(world, "trying-twice");
    return clients.rollouts.startRollout({ choices: [{ policy: "house", version: 2 }] }, { headers });
  },
  rollout_missing: ({ house, owner }) => house.clients.rollouts.promoteRollout({}, { headers: owner }),
  rollout_share_lowered: async (world) => {
    const { headers, clients } = await trying(world, "trying-less");
    return clients.rollouts.setRolloutShare({ shareBasisPoints: 99 }, { headers });
  },
  nothing_to_roll_back: ({ house, owner }) =>
    house.clients.policies.rollbackPolicies({ choices: [{ policy: "house" }] }, { headers: owner }),
  revision_conflict: ({ house, owner }) =>
    house.clients.policies.activatePolicies(
      { choices: [{ policy: "house" }], expectedRevision: 1n },
      { headers: owner },
    ),
  change_needs_approval: async (world) => {
    const { clients, ada } = await twoPeople(world, "two-people");
    return clients.tenants.updateTenant({ mode: TenantMode.OBSERVE }, { headers: ada });
  },
  change_unknown: ({ house, owner }) => house.clients.changes.getChange({ changeId: nobody }, { headers: owner }),
  change_over: async (world) => {
    const { clients, ada, bob, changeId, digest } = await proposed(world, "proposed-and-over");
    await clients.changes.withdrawChange({ changeId }, { headers: ada });
    return clients.changes.approveChange({ changeId, digest }, { headers: bob });
  },
  change_differs: async (world) => {
    const { clients, bob, changeId } = await proposed(world, "proposed-otherwise");
    const digest = `sha256:${"0".repeat(64)}`;
    return clients.changes.approveChange({ changeId, digest }, { headers: bob });
  },
  change_same_person: async (world) => {
    const { clients, ada, changeId, digest } = await proposed(world, "proposed-by-oneself");
    return clients.changes.approveChange({ changeId, digest }, { headers: ada });
  },
  people_too_few: async (world) => {
    const { clients, ownerKey } = await world.tenant("one-person");
    return clients.tenants.updateTenant({ people: 2 }, { headers: bearer(ownerKey) });
  },
  caller_unknown: ({ house, owner }) => house.clients.callers.revokeKey({ callerId: nobody }, { headers: owner }),
  name_taken: async ({ house, owner }) => {
    for (let times = 0; times < 2; times++) await house.clients.callers.createKey({ name: "twin" }, { headers: owner });
  },
  issuer_unknown: ({ house, owner }) => house.clients.callers.deleteIssuers({ names: ["nothing"] }, { headers: owner }),
  binding_unknown: ({ house, owner }) =>
    house.clients.callers.deleteBindings({ names: ["nothing"] }, { headers: owner }),
  tenant_unknown: (world) => setTenant(world, "nobody", TenantStatus.ACTIVE),
  tenant_suspended: openIn("opens-suspended", TenantStatus.SUSPENDED),
  tenant_closing: openIn("opens-closing", TenantStatus.CLOSING),
  quota_exceeded: async (world) => {
    const other = await world.tenant("small");
    await world.house.clients.tenants.updateTenant(
      { tenant: "small", quotas: { agents: 1 } },
      { headers: world.owner },
    );
    const text = "apiVersion: remit/v1\nkind: Agent\nmetadata: { name: second }\nspec: {}\n";
    const headers = bearer(other.ownerKey);
    return other.clients.agents.putAgent({ document: { file: "agent.yaml", text } }, { headers });
  },
};

const test = (name: string): Elsewhere => ({ file: `services/pdp/test/${name}.test.ts` });
const unit = (name: string): Elsewhere => ({ file: `services/pdp/src/${name}.test.ts` });

/** How each reason is provoked: here through the front door, or by a test of its own where that takes a fault. */
export const errorRows: Readonly<Partial<Record<ErrorReason, Provoke | Elsewhere>>> = {
  ...requests,
  ...identities,
  ...administration,
  caller_not_bound: test("doors/issuers"),
  issuer_unavailable: test("doors/issuer-away"),
  actor_not_meant: test("doors/subject-tokens"),
  scopes_too_long: test("doors/long-scopes"),
  overloaded: test("doors/shedding"),
  certificate_invalid: test("doors/tls"),
  credentials_disagree: test("doors/tls"),
  forwarded_certificate_refused: test("doors/mesh"),
  read_too_slowly: test("lanes/streams"),
  deadline_exceeded: test("lanes/deadlines"),
  body_too_slow: test("lanes/deadlines"),
  draining: test("lanes/drain"),
  not_served: test("lanes/bad-input"),
  compressed: test("lanes/bad-input"),
  internal: test("lanes/contract"),
  cancelled: unit("wire/errors"),
  session_raced: unit("decisions/sessions"),
  ledger_unavailable: test("doors/store-away"),
  record_refused: test("ledger/commit"),
  already_recorded: test("ledger/recorded-change"),
  hold_gone: test("budgets/charged-commit"),
  policies_broken: test("doors/broken-policies"),
  engine_other: test("doors/engine"),
  rotation_too_soon: test("doors/signing-keys"),
  tenant_erased: test("doors/erasure"),
  tenant_active: test("doors/erasure"),
  last_cell_operator: test("doors/tenants"),
  last_owner: test("doors/tenants"),
};
