import { Effect, Risk } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

const closed = (properties: string) =>
  `inputSchema: { type: object, additionalProperties: false, properties: { ${properties} } }`;
const before = closed("id: { type: string }");
const after = closed("id: { type: string }, format: { type: string }");

async function register(name: string, ...spec: string[]) {
  const lines = spec.map((line) => `  ${line}\n`).join("");
  const text = `apiVersion: remit/v1\nkind: Tool\nmetadata: { name: ${name} }\nspec:\n  risk: read\n${lines}`;
  const answer = await house.clients.tools.putTool({ document: { file: "tool.yaml", text } }, { headers });
  expect(answer.problems).toEqual([]);
  if (!answer.tool) throw new Error("no tool was answered");
  return answer.tool;
}

const decide = (callId: string, tool: string, more = {}) =>
  house.clients.decisions.decide(
    {
      callId,
      tool,
      input: { case: "inputObject", value: { id: "INV-7" } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
      ...more,
    },
    { headers },
  );

async function entryOf(decisionId: string) {
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, { headers });
  return decision?.body as Record<string, unknown>;
}

test("the tool's schema changed: denied and recorded until the tool is registered again", async () => {
  const { schemaDigest: toolSchemaDigest } = await register("invoices.read", before);
  expect(toolSchemaDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect((await decide("same", "invoices.read", { toolSchemaDigest })).effect).toBe(Effect.ALLOW);

  await register("invoices.read", after);
  const denied = await decide("changed", "invoices.read", { toolSchemaDigest });
  expect(denied.effect).toBe(Effect.DENY);
  expect(denied.reason).toMatchObject({
    code: "tool_schema_changed",
    message: expect.stringContaining("registered again"),
    detail: expect.stringContaining(toolSchemaDigest),
  });
  expect(denied.record?.n).toBeGreaterThan(0n);
  expect(await entryOf(denied.decisionId)).toMatchObject({
    reason: { code: "tool_schema_changed" },
    call: { schema_digest: toolSchemaDigest },
  });
  expect((await decide("silent", "invoices.read")).effect).toBe(Effect.ALLOW);

  await register("invoices.read", before);
  expect((await decide("again", "invoices.read", { toolSchemaDigest })).effect).toBe(Effect.ALLOW);
});

test("a call that was allowed may not start once its tool is another", async () => {
  await register("invoices.read", before);
  const allowed = await decide("replayed", "invoices.read");
  expect(allowed.effect).toBe(Effect.ALLOW);
  await register("invoices.read", after);
  const again = await decide("replayed", "invoices.read");
  expect(again).toMatchObject({ effect: Effect.DENY, replayed: true, reason: { code: "tool_schema_changed" } });
  await register("invoices.read", before);
  expect(await decide("replayed", "invoices.read")).toMatchObject({ effect: Effect.ALLOW, replayed: true });
});

test("a suspended tool is denied, calls that were allowed with it, and passes once it is active", async () => {
  await register("invoices.read", before);
  expect((await decide("early", "invoices.read")).effect).toBe(Effect.ALLOW);
  await register("invoices.read", before, "status: suspended");
  expect((await decide("late", "invoices.read")).reason?.code).toBe("tool_suspended");
  expect((await decide("early", "invoices.read")).reason?.code).toBe("tool_suspended");
  await register("invoices.read", before, "status: active");
  expect((await decide("later", "invoices.read")).effect).toBe(Effect.ALLOW);
});

test("a call is expected to cost what its tool does unless it says, and never more than the tool may", async () => {
  await register("invoices.read", 'cost: [{ unit: EUR, value: "0.25" }]', 'maximum: [{ unit: EUR, value: "2" }]');
  const eur = (value: string) => [{ unit: "EUR", value }];
  const text =
    "apiVersion: remit/v1\nkind: Budget\nmetadata: { name: reading }\n" +
    'spec: { unit: EUR, limit: "100", window: lifetime, owner: { tool: invoices.read } }\n';
  await house.clients.budgets.putBudget({ document: { file: "budget.yaml", text } }, { headers });
  const silent = await decide("cost-silent", "invoices.read");
  expect(await entryOf(silent.decisionId)).toMatchObject({ call: { estimate: eur("0.25") } });
  const said = await decide("cost-said", "invoices.read", { estimate: eur("2") });
  expect(said.effect).toBe(Effect.ALLOW);
  expect(await entryOf(said.decisionId)).toMatchObject({ call: { estimate: eur("2") } });
  const dear = await decide("cost-dear", "invoices.read", { estimate: eur("2.01") });
  expect(dear.reason).toMatchObject({ code: "input_invalid", message: expect.stringContaining("2.01 EUR") });
});

test("what a tool says of itself is shown, in a list and alone", async () => {
  const put = await register(
    "ledger.export",
    before,
    "contextSchema: { type: object }",
    'cost: [{ unit: EUR, value: "0.25" }]',
    'maximum: [{ unit: EUR, value: "2" }]',
    "redact: [input.id]",
    "outputLabels: [untrusted]",
    "idempotentOn: [id]",
    "timeout: 30s",
    `offeredSchema: sha256:${"0".repeat(64)}`,
  );
  const shown = {
    name: "ledger.export",
    risk: Risk.READ,
    cost: [{ unit: "EUR", value: "0.25" }],
    maximum: [{ unit: "EUR", value: "2" }],
    redact: ["input.id"],
    outputLabels: ["untrusted"],
    idempotentOn: ["id"],
    status: "active",
    timeout: { seconds: 30n },
    offeredSchemaDigest: `sha256:${"0".repeat(64)}`,
    contextSchemaDigest: expect.stringMatching(/^sha256:/),
  };
  expect(put).toMatchObject(shown);
  const { tools } = await house.clients.tools.listTools({}, { headers });
  expect(tools.find(({ name }) => name === "ledger.export")).toEqual(put);
  const alone = await house.clients.tools.getTool({ name: "ledger.export" }, { headers });
  expect(alone.tool).toEqual(put);
  expect(JSON.parse(alone.document)).toMatchObject({ kind: "Tool", spec: { redact: ["input.id"], timeout: "30s" } });
});

test("a tool that is not there and a digest that is none are told apart by their field", async () => {
  const missing = await failure(house.clients.tools.getTool({ name: "rockets.launch" }, { headers }));
  expect(missing).toMatchObject({ code: "NotFound", detail: { reason: "tool_unknown", field: "name" } });
  const malformed = await failure(decide("malformed", "invoices.read", { toolSchemaDigest: "sha256:1" }));
  expect(malformed).toMatchObject({ code: "InvalidArgument", detail: { field: "tool_schema_digest" } });
});

test("a schema that changes what a policy in force says of a number is warned of", async () => {
  const policy = `apiVersion: remit/v1
kind: Policy
metadata: { name: halves }
spec: { rules: [{ id: half, match: { tools: [boxes.pack] }, effect: allow, when: input.qty / 2 < 2 }] }
`;
  const packs = (type: string) => `apiVersion: remit/v1
kind: Tool
metadata: { name: boxes.pack }
spec: { risk: write, inputSchema: { type: object, properties: { qty: { type: ${type} } } } }
`;
  const put = (type: string) =>
    house.clients.tools.putTool({ document: { file: "tool.yaml", text: packs(type) } }, { headers });
  expect((await put("number")).problems).toEqual([]);
  await house.clients.policies.publishPolicies({ files: [{ file: "halves.yaml", text: policy }] }, { headers });
  await house.clients.policies.activatePolicies({ choices: [{ policy: "halves" }] }, { headers });
  const { problems, tool } = await put("integer");
  expect(tool?.name).toBe("boxes.pack");
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringContaining("a division of ints drops the remainder"),
  ]);
  expect((await put("integer")).problems).toEqual([]);
});
