import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { withClient } from "../support/test-database.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
});

afterAll(() => house.close());

const headersOf = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const owner = () => headersOf(house.ownerKey);

interface Told {
  readonly caller: { readonly id: string; readonly name: string };
  readonly method: string;
  readonly outcome?: string;
  readonly change?: string;
  readonly about?: Record<string, unknown>;
}

/** What the ledger tells of the admin plane since `work` began. */
async function toldOf(work: () => Promise<unknown>): Promise<Told[]> {
  const before = (await plainBodies(house, "kind = 'admin'")).length;
  await work();
  const bodies = await plainBodies(house, "kind = 'admin'");
  return bodies.slice(before).map((body) => JSON.parse(body) as Told);
}

test("a read leaves an entry that says who asked for what", async () => {
  const told = await toldOf(() => house.clients.tools.getTool({ name: "invoices.read" }, owner()));
  expect(told).toEqual([
    expect.objectContaining({
      caller: { id: expect.any(String), name: "owner" },
      method: "remit.v1.ToolService/GetTool",
      outcome: "ok",
      about: { name: "invoices.read" },
    }),
  ]);
});

test("a change tells of itself, by which RPC it was asked for, and leaves no second entry", async () => {
  const document = {
    file: "agent.yaml",
    text: "{apiVersion: remit/v1, kind: Agent, metadata: {name: told}, spec: {}}",
  };
  const changed = await toldOf(() => house.clients.agents.putAgent({ document }, owner()));
  expect(changed).toMatchObject([{ change: "agent_put", method: "remit.v1.AgentService/PutAgent" }]);
  const tried = await toldOf(() => house.clients.agents.putAgent({ document, dryRun: true }, owner()));
  expect(tried).toMatchObject([{ outcome: "ok", about: { document: { file: "agent.yaml" }, dry_run: true } }]);
  expect(JSON.stringify(tried)).not.toContain("kind: Agent");
});

test("what is refused or fails is told with its reason, and who was refused", async () => {
  const { key, caller } = await house.clients.callers.createKey({ name: "looker", roles: ["viewer"] }, owner());
  const told = await toldOf(async () => {
    await failure(house.clients.callers.createKey({ name: "mine", roles: ["owner"] }, headersOf(key)));
    await failure(house.clients.tools.getTool({ name: "no.such.tool" }, headersOf(key)));
    await failure(house.clients.tools.getTool({ name: "" }, headersOf(key)));
  });
  expect(told.map(({ caller: { id }, outcome }) => [id, outcome])).toEqual([
    [caller?.id, "role_missing"],
    [caller?.id, "tool_unknown"],
    [caller?.id, "request_invalid"],
  ]);
  expect(told[0]?.about).toEqual({ name: "mine", roles: ["owner"] });
});

test("the trail is read page by page, chosen by method, caller and outcome, and only by whoever may look", async () => {
  const { key, caller } = await house.clients.callers.createKey({ name: "author", roles: ["policy-author"] }, owner());
  await failure(house.clients.callers.listCallers({}, headersOf(key)));
  const list = async (more: object) => (await house.clients.ledger.listAdminCalls(more, owner())).calls;
  const refused = await list({ callerId: caller?.id ?? "", outcome: "role_missing" });
  expect(refused.map(({ body }) => body?.method)).toEqual(["remit.v1.CallerService/ListCallers"]);
  const made = await list({ method: "CreateKey", changesOnly: true });
  expect(made[0]?.body).toMatchObject({ change: "key_created", method: "remit.v1.CallerService/CreateKey" });
  const first = await house.clients.ledger.listAdminCalls({ pageSize: 2 }, owner());
  const next = await house.clients.ledger.listAdminCalls({ pageSize: 2, pageToken: first.nextPageToken }, owner());
  const ids = [...first.calls, ...next.calls].map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort().reverse());
  expect(first.calls.every(({ canonical }) => canonical === "")).toBe(true);
  expect(await failure(house.clients.ledger.listAdminCalls({}, headersOf(key)))).toMatchObject({
    detail: { reason: "role_missing" },
  });
});

test("a secret that stands where a name belongs is not repeated", async () => {
  const told = await toldOf(() => failure(house.clients.tools.getTool({ name: house.ownerKey }, owner())));
  expect(told).toMatchObject([{ about: { name: "(secret)" } }]);
});

test("of what authenticates as nobody there is no entry, and it is counted", async () => {
  const stranger = headersOf(`rmt_${"x".repeat(43)}`);
  const told = await toldOf(() => failure(house.clients.tools.listTools({}, stranger)));
  expect(told).toEqual([]);
  const page = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/remit_admin_strangers_total\{reason="token_invalid"\} 1/);
});

test("a read whose entry cannot be recorded is not answered", async () => {
  const blocked = await withClient(house.database.superuserUrl, async (client) => {
    await client.query("begin");
    await client.query("lock table record in access exclusive mode");
    try {
      return await failure(house.clients.tools.listTools({}, owner()));
    } finally {
      await client.query("rollback");
    }
  });
  expect(blocked).toMatchObject({ code: "Unavailable", detail: { reason: "ledger_unavailable" } });
});

test("a cell operator's change of another tenant is told there, and in the operator's own tenant who did it", async () => {
  const told = await toldOf(() => house.clients.tenants.createTenant({ tenant: "acme" }, owner()));
  expect(told.map(({ change, outcome, method }) => [change ?? outcome, method])).toEqual([
    ["tenant_created", "remit.v1.TenantService/CreateTenant"],
    ["ok", "remit.v1.TenantService/CreateTenant"],
  ]);
});
