import { TenantMode, TenantStatus, TenantUnbudgeted } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, type House, startHouse } from "../support/pdp.ts";

let house: House;
let acmeKey: string;

beforeAll(async () => {
  house = await startHouse();
  acmeKey = (await house.clients.tenants.createTenant({ tenant: "acme" }, { headers: operator() })).ownerKey;
});

afterAll(() => house.close());

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const operator = () => bearer(house.ownerKey);
const acme = () => bearer(acmeKey);
const refusedRole = { code: "PermissionDenied", detail: { reason: "role_missing" } };

async function keyOf(roles: string[], by = operator()) {
  const name = `key-${roles.join("-")}-${Math.random()}`;
  return bearer((await house.clients.callers.createKey({ name, roles }, { headers: by })).key);
}

test("a tenant is made with its owner's key, which works at once and owns nothing but that tenant", async () => {
  const { callers, tenants } = house.clients;
  const mine = await callers.listCallers({}, { headers: acme() });
  expect(mine.callers.map(({ name, roles }) => ({ name, roles }))).toEqual([{ name: "owner", roles: ["owner"] }]);
  const { tenant } = await tenants.getTenant({}, { headers: acme() });
  expect(tenant).toMatchObject({
    id: "acme",
    status: TenantStatus.ACTIVE,
    mode: TenantMode.ENFORCE,
    observeAgents: [],
  });
  const again = await failure(tenants.createTenant({ tenant: "acme" }, { headers: operator() }));
  expect(again).toMatchObject({ code: "AlreadyExists", detail: { reason: "name_taken", field: "tenant" } });
});

test("administering the cell takes a role of its own, which owning a tenant does not give", async () => {
  const { callers, tenants } = house.clients;
  const owner = await keyOf(["owner"]);
  for (const headers of [owner, acme(), await keyOf(["viewer"])]) {
    expect(await failure(tenants.listTenants({}, { headers }))).toMatchObject(refusedRole);
    expect(await failure(tenants.createTenant({ tenant: "more" }, { headers }))).toMatchObject(refusedRole);
    const suspend = { tenant: "acme", status: TenantStatus.SUSPENDED };
    expect(await failure(tenants.updateTenant(suspend, { headers }))).toMatchObject(refusedRole);
    expect(await failure(tenants.updateTenant({ quotas: {} }, { headers }))).toMatchObject(refusedRole);
    const give = { name: "climber", roles: ["cell-operator"] };
    expect((await failure(callers.createKey(give, { headers }))).detail.reason).toBe("role_missing");
  }
  const second = await keyOf(["cell-operator"]);
  const { tenants: all } = await tenants.listTenants({}, { headers: second });
  expect(all.map(({ id }) => id)).toEqual(["acme", "default"]);
  // It administers tenants, and is no owner of its own one.
  expect(await failure(callers.createKey({ name: "x" }, { headers: second }))).toMatchObject(refusedRole);
});

test("an owner that is no cell operator cannot end a cell operator's key", async () => {
  const { callers } = house.clients;
  const owner = await keyOf(["owner"]);
  const { callers: all } = await callers.listCallers({}, { headers: owner });
  const callerId = all.find(({ name }) => name === "owner")?.id ?? "";
  expect(await failure(callers.revokeKey({ callerId }, { headers: owner }))).toMatchObject(refusedRole);
});

test("cell and tenant are not left to nobody: the last operator's and the last owner's key stay, and who is relieved goes", async () => {
  await using other = await startHouse();
  const { callers } = other.clients;
  const by = { headers: bearer(other.ownerKey) };
  const [first] = (await callers.listCallers({}, by)).callers;
  const callerId = first?.id ?? "";
  const refused = await failure(callers.revokeKey({ callerId }, by));
  expect(refused).toMatchObject({ code: "FailedPrecondition", detail: { reason: "last_cell_operator" } });
  await callers.createKey({ name: "second", roles: ["cell-operator"] }, by);
  // Who operates the cell owns nothing.
  expect(await failure(callers.revokeKey({ callerId }, by))).toMatchObject({
    ...{ code: "FailedPrecondition", detail: { reason: "last_owner", field: "caller_id" } },
  });
  await callers.createKey({ name: "third", roles: ["owner"] }, by);
  expect((await callers.revokeKey({ callerId }, by)).caller?.revoked).toBe(true);
});

test("an owner sets the mode and the observed agents of its own tenant; what is not given stays", async () => {
  const { tenants } = house.clients;
  const observed = { observeAgents: { selectors: [{ matchLabels: { team: "finance" } }] } };
  const first = await tenants.updateTenant(observed, { headers: acme() });
  const second = await tenants.updateTenant({ mode: TenantMode.OBSERVE }, { headers: acme() });
  expect(second.revision).toBeGreaterThan(first.revision);
  expect(second.tenant).toMatchObject({
    mode: TenantMode.OBSERVE,
    observeAgents: [{ matchLabels: { team: "finance" } }],
  });
  const cleared = await tenants.updateTenant({ observeAgents: {} }, { headers: acme() });
  expect(cleared.tenant).toMatchObject({ mode: TenantMode.OBSERVE, observeAgents: [] });
  expect(
    await failure(tenants.updateTenant({ mode: TenantMode.ENFORCE }, { headers: await keyOf(["operator"], acme()) })),
  ).toMatchObject(refusedRole);
});

test("a new tenant spends nothing that no budget covers, until its owner says so", async () => {
  const { tenants } = house.clients;
  expect((await tenants.getTenant({}, { headers: acme() })).tenant?.unbudgeted).toBe(TenantUnbudgeted.DENY);
  const allowed = await tenants.updateTenant({ unbudgeted: TenantUnbudgeted.ALLOW }, { headers: acme() });
  expect(allowed.tenant?.unbudgeted).toBe(TenantUnbudgeted.ALLOW);
  // What is not given stays.
  const same = await tenants.updateTenant({ observeAgents: {} }, { headers: acme() });
  expect(same.tenant?.unbudgeted).toBe(TenantUnbudgeted.ALLOW);
  const odd = tenants.updateTenant({ unbudgeted: TenantUnbudgeted.UNSPECIFIED }, { headers: acme() });
  expect((await failure(odd)).detail.field).toBe("unbudgeted");
});

test("what is wrong with a request about a tenant is named", async () => {
  const { tenants } = house.clients;
  const headers = operator();
  const wrong = async (request: Promise<unknown>) => (await failure(request)).detail.field;
  for (const tenant of ["", "Acme", "1st", "a_b", "a".repeat(64), "default/x", "ä"]) {
    expect(await wrong(tenants.createTenant({ tenant }, { headers })), tenant).toBe("tenant");
  }
  expect(await wrong(tenants.updateTenant({}, { headers }))).toBe("tenant");
  expect(await wrong(tenants.updateTenant({ status: 9 as TenantStatus }, { headers }))).toBe("status");
  expect(await wrong(tenants.updateTenant({ mode: TenantMode.UNSPECIFIED }, { headers }))).toBe("mode");
  const empty = { observeAgents: { selectors: [{}] } };
  expect(await wrong(tenants.updateTenant(empty, { headers }))).toBe("observe_agents[0].match_labels");
  const many = { observeAgents: { selectors: Array.from({ length: 65 }, () => ({ matchLabels: { a: "b" } })) } };
  expect(await wrong(tenants.updateTenant(many, { headers }))).toBe("observe_agents");
  const missing = await failure(tenants.updateTenant({ tenant: "nobody", mode: TenantMode.OBSERVE }, { headers }));
  expect(missing).toMatchObject({ code: "NotFound", detail: { reason: "tenant_unknown" } });
});
