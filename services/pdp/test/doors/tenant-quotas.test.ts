import type { MessageInitShape } from "@bufbuild/protobuf";
import type { QuotasSchema } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
/** The same cell, seen by the owner of `acme`. */
let acme: House;

beforeAll(async () => {
  house = await startHouse();
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant: "acme" }, { headers: operator() });
  acme = { ...house, ownerKey };
  await furnish(acme);
});

afterAll(() => house.close());

const operator = () => ({ authorization: `Bearer ${house.ownerKey}` });
const owner = () => ({ authorization: `Bearer ${acme.ownerKey}` });
const allow = (quotas: MessageInitShape<typeof QuotasSchema>) =>
  house.clients.tenants.updateTenant({ tenant: "acme", quotas }, { headers: operator() });
const past = (limit: string, retryable: boolean) => ({
  code: "ResourceExhausted",
  detail: { reason: "quota_exceeded", limit, retryable, fix: expect.stringContaining("ask who runs this service") },
});

const document = (kind: "Agent" | "Tool", name: string, more = "spec: {}") => ({
  document: {
    file: `${name}.yaml`,
    text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n${more}\n`,
  },
});

test("agents and tools past the quota are refused; those that are there can be changed", async () => {
  const { agents, tools } = acme.clients;
  const by = { headers: owner() };
  await allow({ agents: 2, tools: 4 });
  await agents.putAgent(document("Agent", "second"), by);
  expect(await failure(agents.putAgent(document("Agent", "third"), by))).toMatchObject(past("2 agents", false));
  expect(await failure(tools.putTool(document("Tool", "fifth", "spec: { risk: read }"), by))).toMatchObject(
    past("4 tools", false),
  );
  await agents.putAgent(document("Agent", "second", "spec: { labels: { team: x } }"), by);
  await allow({ agents: 1 });
  await agents.putAgent(document("Agent", "second"), by);
  expect((await agents.listAgents({}, by)).agents).toHaveLength(2);
});

test("of many that are put at once no more are taken than the quota allows", async () => {
  const { agents } = acme.clients;
  await allow({ agents: 5 });
  const names = Array.from({ length: 8 }, (_, at) => `racer-${at}`);
  const tried = await Promise.allSettled(
    names.map((name) => agents.putAgent(document("Agent", name), { headers: owner() })),
  );
  expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect((await agents.listAgents({}, { headers: owner() })).agents).toHaveLength(5);
});

test("more rules than the quota are not put in force, and fewer always are", async () => {
  const { policies } = acme.clients;
  const by = { headers: owner() };
  const rules = (count: number) =>
    Array.from({ length: count }, (_, at) => `{ id: r${at}, match: { tools: [invoices.read] }, effect: allow }`);
  const publish = (count: number) => {
    const text = `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: extra }\nspec: { rules: [${rules(count).join(", ")}] }\n`;
    return policies.publishPolicies({ files: [{ file: "extra.yaml", text }] }, by);
  };
  const activate = (version = 0) => policies.activatePolicies({ choices: [{ policy: "extra", version }] }, by);
  await allow({ rules: 9 });
  expect(await failure(publish(10))).toMatchObject(past("9 rules of active policies", false));
  await publish(3);
  expect(await failure(activate())).toMatchObject(past("9 rules of active policies", false));
  await publish(2);
  await activate(2);
  await allow({ rules: 1 });
  expect(await failure(activate(1))).toMatchObject(past("1 rules of active policies", false));
  await allow({ rules: 8 });
  await publish(1);
  await activate(3);
});

test("no more sessions are open at a time than the quota allows, however many are opened at once", async () => {
  const tenant = await house.clients.tenants.createTenant(
    { tenant: "small", quotas: { sessionsOpen: 3 } },
    { headers: operator() },
  );
  const small = { ...house, ownerKey: tenant.ownerKey };
  await furnish(small);
  const tried = await Promise.allSettled(Array.from({ length: 6 }, () => openSession(small)));
  const opened = tried.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(opened).toHaveLength(3);
  expect(await failure(openSession(small))).toMatchObject(past("3 open sessions", false));
  const headers = { authorization: `Bearer ${tenant.ownerKey}` };
  await small.clients.sessions.closeSession({ sessionId: opened[0]?.session.id ?? "" }, { headers });
  await openSession(small);
});
