import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

// Two replicas of a tenant with a tool whose business key is the invoice that it pays.
let database: TestDatabase;
let one: House;
let two: House;
let headers: Record<string, string>;

const owner = () => ({ headers: { authorization: `Bearer ${one.ownerKey}` } });

const INVOICES = `apiVersion: remit/v1
kind: Tool
metadata: { name: invoices.pay }
spec: { risk: write, idempotentOn: [invoice.id] }
`;
const EXTRA = `apiVersion: remit/v1
kind: Policy
metadata: { name: invoices }
spec:
  rules:
    - id: paid-in-euros
      match: { tools: [invoices.pay] }
      when: input.currency == "EUR"
      effect: allow
    - id: which-currency
      match: { tools: [invoices.pay] }
      unless: present(input.currency) || answers.currency == "EUR"
      effect: clarify
      questions: [{ id: currency, type: string, ask: In which currency? }]
`;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  one = await startHouse({ database, config });
  await furnish(one);
  await one.clients.tools.putTool({ document: { file: "tool.yaml", text: INVOICES } }, owner());
  await one.clients.policies.publishPolicies({ files: [{ file: "extra.yaml", text: EXTRA }] }, owner());
  await one.clients.policies.activatePolicies({ choices: [{ policy: "invoices" }] }, owner());
  two = await startHouse({ database, config, ownerKey: one.ownerKey });
  ({ headers } = await openSession(one));
});

afterAll(async () => {
  await one.close();
  await two.close();
  await database.drop();
});

type Answers = Readonly<Record<string, string>>;

function ask(at: House, callId: string, tool: string, input: object, answers?: Answers) {
  return at.clients.decisions.decide(
    {
      callId,
      tool,
      input: { case: "inputObject", value: input as never },
      supportedConstraints: ["timeout", "maxOutputBytes"],
      ...(answers && { answers: { case: "answersObject", value: answers } }),
    },
    { headers },
  );
}

const invoice = (at: House, callId: string, id: string, more: object = {}, answers?: Answers) =>
  ask(at, callId, "invoices.pay", { invoice: { id }, currency: "EUR", ...more }, answers);

test("a tool with a business key has one call a key, whatever its id is", async () => {
  const first = await invoice(one, "inv-a", "I-1");
  const second = await invoice(two, "inv-b", "I-1");
  expect(first).toMatchObject({ effect: Effect.ALLOW, replayed: false });
  expect(second).toMatchObject({ decisionId: first.decisionId, replayed: true });
  await two.clients.decisions.report(
    { subject: { case: "callId", value: "inv-b" }, outcome: Outcome.SUCCEEDED },
    { headers },
  );
  for (const id of ["inv-a", "inv-b", "inv-c"]) {
    expect(await invoice(one, id, "I-1")).toMatchObject({
      effect: Effect.DENY,
      reason: { code: "already_executed" },
    });
  }
});

test("a tool with a business key is one decision when two ids of a key race", async () => {
  const raced = await Promise.all(
    Array.from({ length: 30 }, (_, round) =>
      Promise.all([invoice(one, `l-${round}`, `R-${round}`), invoice(two, `r-${round}`, `R-${round}`)]),
    ),
  );
  for (const [left, right] of raced) expect(left.decisionId).toBe(right.decisionId);
});

test("a tool with a business key refuses a key with another input, and an id with another key or tool", async () => {
  await invoice(one, "inv-d", "I-2");
  const otherInput = await failure(invoice(two, "inv-e", "I-2", { memo: "changed" }));
  expect(otherInput).toMatchObject({ code: "AlreadyExists", detail: { reason: "call_id_reused", field: "input" } });
  const otherKey = await failure(invoice(two, "inv-d", "I-3"));
  expect(otherKey).toMatchObject({ detail: { reason: "call_id_reused", field: "call_id" } });
  await ask(one, "paid", "invoices.read", {});
  expect(await failure(ask(one, "inv-d", "invoices.read", {}))).toMatchObject({ detail: { reason: "call_id_reused" } });
  expect(await failure(invoice(one, "paid", "I-4"))).toMatchObject({ detail: { reason: "call_id_reused" } });
});

test("a tool with a business key pauses and goes on under any of its ids", async () => {
  const input = { invoice: { id: "I-5" } };
  const asked = await ask(one, "inv-f", "invoices.pay", input);
  expect(asked.effect).toBe(Effect.CLARIFY);
  expect(await ask(two, "inv-g", "invoices.pay", input)).toMatchObject({ decisionId: asked.decisionId });
  const answered = await ask(two, "inv-g", "invoices.pay", input, { currency: "EUR" });
  expect(answered.attempt).toBe(2);
  expect(await ask(one, "inv-f", "invoices.pay", input)).toMatchObject({ decisionId: answered.decisionId });
});

test("a tool with a business key knows a call by its id when the input lacks the key", async () => {
  const left = await ask(one, "inv-h", "invoices.pay", { currency: "EUR" });
  const right = await ask(one, "inv-i", "invoices.pay", { currency: "EUR" });
  expect(left.decisionId).not.toBe(right.decisionId);
});

test("a tool with a business key goes on under one id when another was given up, and is settled by its own report", async () => {
  const first = await invoice(one, "inv-runs", "I-6");
  await invoice(two, "inv-given-up", "I-6");
  const report = (callId: string, outcome: Outcome) =>
    two.clients.decisions.report({ subject: { case: "callId", value: callId }, outcome }, { headers });
  const givenUp = await report("inv-given-up", Outcome.NOT_EXECUTED);
  expect(givenUp).toMatchObject({ decisionId: first.decisionId, replayed: false });
  expect(await report("inv-given-up", Outcome.NOT_EXECUTED)).toMatchObject({ replayed: true });
  expect(await invoice(one, "inv-runs", "I-6")).toMatchObject({ effect: Effect.ALLOW, replayed: true });
  expect(await report("inv-runs", Outcome.SUCCEEDED)).toMatchObject({ replayed: false, outcome: Outcome.SUCCEEDED });
  expect(await invoice(two, "inv-given-up", "I-6")).toMatchObject({ reason: { code: "already_executed" } });
});
