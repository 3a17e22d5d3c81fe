import { createHash, randomBytes } from "node:crypto";
import { TenantMode, TenantUnbudgeted } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";

let house: House;
let ada: Record<string, string>;
let bob: Record<string, string>;
let eve: Record<string, string>;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function keyOf(name: string, roles: string[], by = bearer(house.ownerKey)) {
  return bearer((await house.clients.callers.createKey({ name, roles }, { headers: by })).key);
}

const policy = (rules: string, more: string) =>
  `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: house }\nspec: { rules: [${rules}]${more} }\n`;

async function publish(rules: string, more = ""): Promise<number> {
  const { versions } = await house.clients.policies.publishPolicies(
    { files: [{ file: "p", text: policy(rules, more) }] },
    { headers: ada },
  );
  return versions[0]?.version ?? 0;
}

/** Owners of the tenant, made before it took two. */
const owners = new Map<string, { id: string; key: string }>();
let cayKey: string;

const inForce = async () =>
  (await house.clients.policies.listPolicies({}, { headers: ada })).versions.find(({ state }) => state === "active");

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  for (const name of ["cay", "dan"]) {
    const { caller, key } = await house.clients.callers.createKey(
      { name, roles: ["owner"] },
      { headers: bearer(house.ownerKey) },
    );
    owners.set(name, { id: caller?.id ?? "", key });
  }
  cayKey = owners.get("cay")?.key ?? "";
  [ada, bob, eve] = await Promise.all([keyOf("ada", ["owner"]), keyOf("bob", ["owner"]), keyOf("eve", ["viewer"])]);
  await house.clients.tenants.updateTenant({ people: 2 }, { headers: ada });
});

afterAll(() => house.close());

const activation = "remit.v1.PolicyService/ActivatePolicies";

test("where two people are needed, an activation is refused, proposed, approved by another, and in force", async () => {
  const { policies, changes } = house.clients;
  const version = await publish('{ id: all, match: { tools: ["*"] }, effect: allow }');
  const choices = [{ policy: "house", version }];
  expect(await failure(policies.activatePolicies({ choices }, { headers: ada }))).toMatchObject({
    code: "FailedPrecondition",
    detail: { reason: "change_needs_approval" },
  });
  const { change } = await changes.proposeChange({ method: activation, message: { choices } }, { headers: ada });
  expect(change).toMatchObject({ state: "proposed", method: activation, people: 2, approvals: [] });
  expect(change?.rows).toMatchObject([
    {
      table: "active_policy",
      was: '{"policy":"house","version":1}',
      becomes: `{"policy":"house","version":${version}}`,
    },
  ]);
  const changeId = change?.id ?? "";
  const digest = change?.digest ?? "";
  expect(await failure(changes.approveChange({ changeId, digest }, { headers: ada }))).toMatchObject({
    code: "PermissionDenied",
    detail: { reason: "change_same_person" },
  });
  expect(await failure(changes.approveChange({ changeId, digest }, { headers: eve }))).toMatchObject({
    detail: { reason: "role_missing" },
  });
  const approved = await changes.approveChange({ changeId, digest }, { headers: bob });
  expect(approved.change).toMatchObject({ state: "applied", approvals: [{ by: { name: "bob" } }] });
  expect(approved.revision).toBeGreaterThan(0n);
  const { versions } = await policies.listPolicies({}, { headers: eve });
  const active = versions.find(({ state }) => state === "active");
  expect(active).toMatchObject({ version, activations: [{ by: { name: "ada" } }] });
});

const byPeople = (tenantSet: object) => ({ method: "remit.v1.TenantService/UpdateTenant", message: tenantSet });

/** What somebody proposes. */
async function proposed(request: { method: string; message: object }, headers = ada, more: object = {}) {
  const { change } = await house.clients.changes.proposeChange(
    { ...request, message: request.message as never, ...more },
    { headers },
  );
  return { changeId: change?.id ?? "", digest: change?.digest ?? "", change };
}

async function activationOf(rules: string) {
  const version = await publish(rules);
  const choices = [{ policy: "house", version }];
  return { version, request: { method: activation, message: { choices } } };
}

const allow = (id: string) => `{ id: ${id}, match: { tools: ["*"] }, effect: allow }`;

const stateOf = async (changeId: string) =>
  (await house.clients.changes.getChange({ changeId }, { headers: eve })).change;

test("what narrows takes one person: a policy that only allows goes, an agent is removed, a key ends", async () => {
  const { policies, agents, callers } = house.clients;
  const { request } = await activationOf(allow("only"));
  const { changeId, digest } = await proposed(request);
  await house.clients.changes.approveChange({ changeId, digest }, { headers: bob });
  await policies.deactivatePolicies({ policies: ["house"] }, { headers: ada });
  await agents.deleteAgents({ names: ["clerk"] }, { headers: ada });
  const { callers: all } = await callers.listCallers({}, { headers: ada });
  const callerId = all.find(({ name }) => name === "owner")?.id ?? "";
  expect((await failure(callers.revokeKey({ callerId }, { headers: ada }))).detail.reason).toBe("role_missing");
});

test("a policy that limits calls takes two to go: without it the defaults bind", async () => {
  const { policies, changes } = house.clients;
  const version = await publish(allow("limited"), ", limits: { identical: 2 }");
  const { changeId, digest } = await proposed({
    ...{ method: activation, message: { choices: [{ policy: "house", version }] } },
  });
  await changes.approveChange({ changeId, digest }, { headers: bob });
  const alone = policies.deactivatePolicies({ policies: ["house"] }, { headers: ada });
  expect((await failure(alone)).detail.reason).toBe("change_needs_approval");
});

test("of two who approve at once, one makes the change and the other hears that it is made", async () => {
  const { changes } = house.clients;
  const { request, version } = await activationOf(allow("raced"));
  const { changeId, digest } = await proposed(request);
  const cay = bearer(cayKey);
  const both = await Promise.allSettled(
    [bob, cay].map((headers) => changes.approveChange({ changeId, digest }, { headers })),
  );
  expect(both.filter(({ status }) => status === "fulfilled").length).toBe(1);
  const change = await stateOf(changeId);
  expect(change).toMatchObject({ state: "applied" });
  expect(change?.approvals.length).toBe(1);
  expect((await inForce())?.version).toBe(version);
});

test("of an approval and a rejection at once exactly one counts", async () => {
  const { changes } = house.clients;
  for (let round = 0; round < 3; round++) {
    const before = (await inForce())?.version;
    const { request, version } = await activationOf(allow(`contested-${round}`));
    const { changeId, digest } = await proposed(request);
    const [approved, rejected] = await Promise.allSettled([
      changes.approveChange({ changeId, digest }, { headers: bob }),
      changes.rejectChange({ changeId, reason: "no" }, { headers: bob }),
    ]);
    const won = approved.status === "fulfilled";
    expect(won).not.toBe(rejected.status === "fulfilled");
    expect((await stateOf(changeId))?.state).toBe(won ? "applied" : "rejected");
    expect((await inForce())?.version).toBe(won ? version : before);
  }
});

test("a change whose world moved on is refused when it is approved, and says so from then on", async () => {
  const { changes } = house.clients;
  const { request: first } = await activationOf(allow("first"));
  const { request: second } = await activationOf(allow("second"));
  const stale = await proposed(first);
  const fresh = await proposed(second);
  await changes.approveChange(fresh, { headers: bob });
  expect(await failure(changes.approveChange(stale, { headers: bob }))).toMatchObject({
    code: "Aborted",
    detail: { reason: "revision_conflict" },
  });
  expect(await stateOf(stale.changeId)).toMatchObject({
    state: "refused",
    endedWhy: expect.stringContaining("revision_conflict"),
  });
  expect(await failure(changes.approveChange(stale, { headers: bob }))).toMatchObject({
    detail: { reason: "change_over" },
  });
});

test("a revision that the request expects is expected when it is made, too", async () => {
  const { changes, policies } = house.clients;
  const { revision } = await policies.listPolicies({}, { headers: ada });
  const { request } = await activationOf(allow("expecting"));
  const message = { ...request.message, expectedRevision: String(revision) };
  const stale = await proposed({ ...request, message });
  const moved = await proposed((await activationOf(allow("moving"))).request);
  await changes.approveChange(moved, { headers: bob });
  expect((await failure(changes.approveChange(stale, { headers: bob }))).detail.reason).toBe("revision_conflict");
});

test("a proposer who may not do it any more has it refused, and an approver who may not does not count", async () => {
  const { changes } = house.clients;
  const dan = owners.get("dan") ?? { id: "", key: "" };
  const { request } = await activationOf(allow("by-dan"));
  const byDan = await proposed(request, bearer(dan.key));
  await withClient(house.database.superuserUrl, (pg) =>
    pg.query("update caller set roles = '{viewer}' where id = $1", [dan.id]),
  );
  expect(await failure(changes.approveChange(byDan, { headers: bob }))).toMatchObject({
    code: "PermissionDenied",
    detail: { reason: "role_missing" },
  });
  expect(await stateOf(byDan.changeId)).toMatchObject({ state: "refused" });
});

test("a key is proposed by its hash, is nowhere to be read, and works once others have agreed", async () => {
  const { callers, changes } = house.clients;
  const method = "remit.v1.CallerService/CreateKey";
  const without = changes.proposeChange({ method, message: { name: "fay", roles: ["viewer"] } }, { headers: ada });
  expect((await failure(without)).detail.field).toBe("message.key_hash");
  const key = `rmt_${randomBytes(32).toString("base64url")}`;
  const keyHash = createHash("sha256").update(`remit/api-key/v1\n${key}`).digest();
  const message = { name: "fay", roles: ["owner"], keyHash: keyHash.toString("base64") };
  const asked = await proposed({ method, message });
  await changes.approveChange(asked, { headers: bob });
  const { callers: all } = await callers.listCallers({}, { headers: ada });
  const fay = all.find(({ name }) => name === "fay");
  expect(all.find(({ id }) => id === fay?.createdBy)?.name).toBe("ada");
  // Whoever proposed the key may hold it: what it says counts for them.
  const next = await proposed((await activationOf(allow("fays"))).request);
  const refused = await failure(changes.approveChange(next, { headers: bearer(key) }));
  expect(refused.detail.reason).toBe("change_same_person");
  expect(refused.message).toContain("a key and whoever made it, directly or through other keys, are one person");
  await changes.withdrawChange({ changeId: next.changeId }, { headers: ada });
});

test("what ran out is told as expired, cannot be approved, and is ended with an entry by whoever comes next", async () => {
  const { changes } = house.clients;
  const { request } = await activationOf(allow("late"));
  const late = await proposed(request, ada, { expiresIn: { seconds: 3600n } });
  await withClient(house.database.superuserUrl, async (pg) => {
    await pg.query("set session_replication_role = replica");
    await pg.query("update change set expires_at = now() where id = $1", [late.changeId]);
  });
  expect(await stateOf(late.changeId)).toMatchObject({ state: "expired" });
  expect((await failure(changes.approveChange(late, { headers: bob }))).detail.reason).toBe("change_over");
  await using again = await startHouse({ database: house.database, config: house.config });
  const { rows } = await withClient(again.database.superuserUrl, (pg) =>
    pg.query(
      "select c.state, r.kind from change c join record r on r.id = c.ended_entry where c.id = $1 and c.ended_by is null",
      [late.changeId],
    ),
  );
  expect(rows).toEqual([{ state: "expired", kind: "admin" }]);
});

test("raising the number takes one person and as many owners apart, lowering takes as many as it says", async () => {
  const { tenants, changes } = house.clients;
  expect(await failure(tenants.updateTenant({ people: 8 }, { headers: ada }))).toMatchObject({
    detail: { reason: "people_too_few", field: "people" },
  });
  expect((await tenants.updateTenant({ people: 3 }, { headers: ada })).tenant?.people).toBe(3);
  expect((await failure(tenants.updateTenant({ people: 1 }, { headers: ada }))).detail.reason).toBe(
    "change_needs_approval",
  );
  const lower = await proposed(byPeople({ people: 1 }));
  const cay = bearer(cayKey);
  expect((await changes.approveChange(lower, { headers: bob })).change?.state).toBe("proposed");
  // Asked again it says the same, and counts once.
  expect((await changes.approveChange(lower, { headers: bob })).change?.approvals.length).toBe(1);
  expect((await changes.approveChange(lower, { headers: cay })).change?.state).toBe("applied");
  expect((await tenants.getTenant({}, { headers: ada })).tenant?.people).toBe(1);
  await tenants.updateTenant({ people: 2 }, { headers: ada });
});

test("spending what no budget covers takes several people, alone or with another setting, and denying it takes one", async () => {
  const { tenants, changes } = house.clients;
  const [allow, deny] = [{ unbudgeted: TenantUnbudgeted.ALLOW }, { unbudgeted: TenantUnbudgeted.DENY }];
  expect((await failure(tenants.updateTenant(allow, { headers: ada }))).detail.reason).toBe("change_needs_approval");
  const alone = await proposed(byPeople({ unbudgeted: "TENANT_UNBUDGETED_ALLOW" }));
  expect((await changes.approveChange(alone, { headers: bob })).change?.state).toBe("applied");
  // What it is already is no change: the other setting is what is approved.
  const both = await proposed(byPeople({ unbudgeted: "TENANT_UNBUDGETED_ALLOW", mode: "TENANT_MODE_OBSERVE" }));
  expect((await changes.approveChange(both, { headers: bob })).change?.state).toBe("applied");
  const { tenant } = await tenants.updateTenant({ ...deny, mode: TenantMode.ENFORCE }, { headers: ada });
  expect(tenant).toMatchObject({ ...deny, mode: TenantMode.ENFORCE });
});

test("every step is an entry of the ledger, and the change's own entry names its proposal and who approved it", async () => {
  const { request } = await activationOf(allow("told"));
  const asked = await proposed(request, ada, { reason: "for the audit" });
  await house.clients.changes.approveChange(asked, { headers: bob });
  const { rows } = await withClient(house.database.superuserUrl, (pg) =>
    pg.query<{ entry: string; ended_entry: string }>("select entry, ended_entry from change where id = $1", [
      asked.changeId,
    ]),
  );
  const entryOf = async (id: string) => {
    const { calls } = await house.clients.ledger.listAdminCalls({ pageSize: 100 }, { headers: ada });
    return calls.find((entry) => entry.id === id)?.body;
  };
  expect(await entryOf(rows[0]?.entry ?? "")).toMatchObject({ change: "change_proposed", caller: { name: "ada" } });
  expect(await entryOf(rows[0]?.ended_entry ?? "")).toMatchObject({
    change: "policies_activated",
    caller: { name: "ada" },
    proposal: {
      id: asked.changeId,
      digest: asked.digest,
      proposed_by: { name: "ada" },
      approved_by: [{ name: "bob" }],
    },
  });
});

/** Refused when asked for directly, and made when another agrees. */
async function takesTwo(method: string, message: object, direct: () => Promise<unknown>) {
  expect(await failure(direct()), method).toMatchObject({ detail: { reason: "change_needs_approval" } });
  const asked = await proposed({ method: `remit.v1.${method}`, message });
  expect((await house.clients.changes.approveChange(asked, { headers: bob })).change?.state, method).toBe("applied");
}

const document = (kind: string, name: string, spec: string) => ({
  document: {
    file: "d.yaml",
    text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
  },
});

test("every kind of authority is widened by two, and by one no more", async () => {
  const { agents, tools, budgets, groups, callers, revocations, rollouts, policies } = house.clients;
  const as = { headers: ada };
  const agent = document("Agent", "porter", '{ ceiling: { tools: ["*"] } }');
  await takesTwo("AgentService/PutAgent", agent, () => agents.putAgent(agent, as));
  const tool = document("Tool", "doors.open", "{ risk: write }");
  await takesTwo("ToolService/PutTool", tool, () => tools.putTool(tool, as));
  const budget = document("Budget", "small", '{ unit: EUR, limit: "5", window: day }');
  await takesTwo("BudgetService/PutBudget", budget, () => budgets.putBudget(budget, as));
  const less = document("Budget", "small", '{ unit: EUR, limit: "4", window: day }');
  await budgets.putBudget(less, as);
  await takesTwo("BudgetService/DeleteBudgets", { names: ["small"] }, () =>
    budgets.deleteBudgets({ names: ["small"] }, as),
  );
  const group = document("Group", "leads", "{ members: [ada] }");
  await takesTwo("GroupService/PutGroup", group, () => groups.putGroup(group, as));
  const binding = { name: "meshed", issuer: "spiffe", subject: "spiffe://acme.example/ns/*", agents: ["porter"] };
  await takesTwo("CallerService/PutBinding", { binding }, () => callers.putBinding({ binding } as never, as));
  const { revocation } = await revocations.revoke(
    { subject: { subject: { case: "agent", value: "porter" } }, reason: "odd" } as never,
    as,
  );
  const lift = { revocationId: revocation?.id ?? "", reason: "was nothing" };
  await takesTwo("RevocationService/Lift", lift, () => revocations.lift(lift, as));
  const version = await publish(allow("tried"));
  const choices = [{ policy: "house", version }];
  await takesTwo("RolloutService/StartRollout", { choices, shareBasisPoints: 100 }, () =>
    rollouts.startRollout({ choices, shareBasisPoints: 100 }, as),
  );
  await takesTwo("RolloutService/SetRolloutShare", { shareBasisPoints: 200 }, () =>
    rollouts.setRolloutShare({ shareBasisPoints: 200 }, as),
  );
  await takesTwo("RolloutService/PromoteRollout", {}, () => rollouts.promoteRollout({}, as));
  await takesTwo("PolicyService/RollbackPolicies", { choices: [{ policy: "house" }] }, () =>
    policies.rollbackPolicies({ choices: [{ policy: "house" }] }, as),
  );
});

test("where a replica died after an approval that was enough, asking again makes the change", async () => {
  const { changes } = house.clients;
  const { request, version } = await activationOf(allow("orphaned"));
  const asked = await proposed(request);
  await withClient(house.database.superuserUrl, async (pg) => {
    await pg.query("set session_replication_role = replica");
    await pg.query(
      `insert into change_approval (tenant, change, approver, digest, entry)
       select c.tenant, c.id, w.id, c.digest, c.entry from change c join caller w on w.tenant = c.tenant and w.name = 'bob'
        where c.id = $1`,
      [asked.changeId],
    );
  });
  expect((await changes.approveChange(asked, { headers: bob })).change?.state).toBe("applied");
  expect((await inForce())?.version).toBe(version);
  // And once more: what is made is made once, and the same is answered.
  expect((await changes.approveChange(asked, { headers: bob })).change?.approvals.length).toBe(1);
});
