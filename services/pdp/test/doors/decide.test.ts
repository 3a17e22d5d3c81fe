import { Effect, Mode } from "@remit/proto/common";
import { Approval_State } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { withClient } from "../support/test-database.ts";

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers } = await openSession(house, {
    onBehalfOf: { case: "principal", value: { id: "mia" } },
    purpose: "pay the invoices of March",
  }));
});

afterAll(() => house.close());

const ask = (callId: string, tool: string, input: Record<string, unknown>, more = {}) => ({
  callId,
  tool,
  input: { case: "inputObject" as const, value: input as never },
  supportedConstraints: ["timeout", "maxOutputBytes"],
  ...more,
});

describe.each(["decisions", "decisionsByGrpc"] as const)("asked through %s", (lane) => {
  const decide = (callId: string, tool: string, input: Record<string, unknown>, more = {}) =>
    house.clients[lane].decide(ask(`${lane}-${callId}`, tool, input, more), { headers });

  test("a call that a rule allows is allowed, with the rule, its constraints and where it is recorded", async () => {
    const answer = await decide("read", "invoices.read", { id: "INV-7" });
    expect(answer.effect).toBe(Effect.ALLOW);
    expect(answer.mode).toBe(Mode.ENFORCED);
    expect(answer.reason?.code).toBe("rule_allowed");
    expect(answer.rules).toMatchObject([{ policy: "house", version: 1, rule: "reads" }]);
    expect(answer.constraints.map(({ name }) => name).sort()).toEqual(["maxOutputBytes", "timeout"]);
    expect(answer.decisionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(answer.record?.epoch).toBeGreaterThan(0n);
    expect(answer.record?.n).toBeGreaterThan(0n);
    expect(answer.inputDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(answer.effectiveInputDigest).toBe(answer.inputDigest);
    expect(answer.policyDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(answer.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.revision).toBeGreaterThan(0n);
  });

  test("what no rule matches is denied", async () => {
    const answer = await decide("delete", "records.delete", { id: 1 });
    expect(answer.effect).toBe(Effect.DENY);
    expect(answer.reason?.code).toBe("no_rule_matched");
    expect(answer.executeBefore).toBeUndefined();
  });

  test("a deny outranks everything and carries the policy's message for the model", async () => {
    const answer = await decide("big", "payments.transfer", { amount: 20_000 });
    expect(answer.effect).toBe(Effect.DENY);
    expect(answer.reason).toMatchObject({
      code: "rule_denied",
      message: "Transfers above 10,000 are made by people.",
    });
    expect(answer.rules.map(({ rule }) => rule)).toEqual(["never-that-much"]);
  });

  test("an escalate names who must agree", async () => {
    const answer = await decide("large", "payments.transfer", { amount: 501 });
    expect(answer.effect).toBe(Effect.ESCALATE);
    expect(answer.reason?.code).toBe("approval_required");
    expect(answer.approval?.state).toBe(Approval_State.PENDING);
    expect(answer.approval?.requirements).toMatchObject([{ approvers: ["group:finance-leads"], quorum: 2 }]);
  });

  test("a clarify asks its questions", async () => {
    const answer = await decide("thirteen", "payments.transfer", { amount: 13 });
    expect(answer.effect).toBe(Effect.CLARIFY);
    expect(answer.questions).toMatchObject([{ id: "memo", type: "string", ask: "What is this payment for?" }]);
  });

  test("an answered clarify counts as an allow by that rule", async () => {
    const answers = { answers: { case: "answersObject", value: { memo: "cake" } } };
    const answer = await decide("thirteen-said", "payments.transfer", { amount: 13 }, answers);
    expect(answer.effect).toBe(Effect.ALLOW);
  });

  test("a transform answers the whole input that must run, and its digest", async () => {
    const answer = await decide("write", "fs.write_file", { path: "/etc/passwd", text: "x" });
    expect(answer.effect).toBe(Effect.TRANSFORM);
    expect(answer.transformed).toEqual({
      case: "transformedObject",
      value: { path: "/workspace/sandbox/passwd", text: "x" },
    });
    expect(answer.effectiveInputDigest).not.toBe(answer.inputDigest);
  });

  test("a call asked twice is answered the same decision, and recorded once", async () => {
    const first = await decide("twice", "invoices.read", { id: "INV-9" });
    const second = await decide("twice", "invoices.read", { id: "INV-9" });
    expect(first.replayed).toBe(false);
    expect(second.replayed).toBe(true);
    expect({ ...second, replayed: false, stalenessMs: first.stalenessMs }).toEqual({ ...first });
  });

  test("the same id with another input is refused", async () => {
    await decide("reused", "invoices.read", { id: "A" });
    const refused = await failure(decide("reused", "invoices.read", { id: "B" }));
    expect(refused).toMatchObject({ code: "AlreadyExists", detail: { reason: "call_id_reused", field: "call_id" } });
  });

  test("a tool that nobody registered is a recorded denial", async () => {
    const answer = await decide("unknown", "rockets.launch", {});
    expect(answer.reason?.code).toBe("tool_unknown");
    expect(answer.record?.n).toBeGreaterThan(0n);
  });

  test("an input that the tool's schema refuses is a recorded denial", async () => {
    const answer = await decide("invalid", "payments.transfer", { amount: "many" });
    expect(answer.effect).toBe(Effect.DENY);
    expect(answer.reason?.code).toBe("input_invalid");
    expect(answer.reason?.message).toContain("amount");
  });

  test("a constraint that the caller cannot honour denies", async () => {
    const answer = await decide("helpless", "invoices.read", {}, { supportedConstraints: ["timeout"] });
    expect(answer.effect).toBe(Effect.DENY);
    expect(answer.reason?.code).toBe("constraint_unsupported");
  });

  test("bytes come back as bytes", async () => {
    const input = { case: "inputJson", value: Buffer.from('{"path":"/tmp/a"}') };
    const answer = await decide("bytes", "fs.write_file", {}, { input });
    expect(answer.transformed.case).toBe("transformedJson");
    expect(Buffer.from(answer.transformed.value as Uint8Array).toString()).toBe('{"path":"/workspace/sandbox/a"}');
  });

  test("the same input has the same digest however it was spelt", async () => {
    const spelt = Buffer.from('{ "b" : 2.0, "a":"\\u0041" }');
    const one = await decide("spelt-1", "invoices.read", { a: "A", b: 2 });
    const two = await decide("spelt-2", "invoices.read", {}, { input: { case: "inputJson", value: spelt } });
    expect(two.inputDigest).toBe(one.inputDigest);
  });
});

test("curl with JSON works: effects are spelt out and the input is an object", async () => {
  const response = await fetch(`http://${house.pdp.httpAddress}/remit.v1.DecisionService/Decide`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ callId: "curl-1", tool: "fs.write_file", input: { path: "/x" } }),
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    effect: "EFFECT_TRANSFORM",
    mode: "MODE_ENFORCED",
    transformedInput: { path: "/workspace/sandbox/x" },
    reason: { code: "rule_transformed" },
  });
});

test("what was answered stands in the ledger, byte for byte under its digest", async () => {
  const answer = await house.clients.decisions.decide(ask("entry", "invoices.read", { id: "INV-1" }), { headers });
  const rows = await withClient(house.database.runtimeUrl, (client) =>
    client.query("select digest, writer, n from record where id = $1", [answer.decisionId]),
  );
  const [row] = rows.rows;
  const [text = ""] = await plainBodies(house, "id = $1", [answer.decisionId]);
  const { createHash } = await import("node:crypto");
  expect(createHash("sha256").update("remit/entry/v1\n").update(text).digest()).toEqual(row.digest);
  const body = JSON.parse(text);
  expect(body).toMatchObject({
    id: answer.decisionId,
    kind: "decision",
    effect: "allow",
    input: { id: "INV-1" },
    principal: { id: "mia", verified: false },
    input_digest: answer.inputDigest,
  });
  expect([BigInt(row.writer), BigInt(row.n)]).toEqual([answer.record?.epoch, answer.record?.n]);
});

test("an input beyond 8 KiB stands beside its entry, and still shows whole", async () => {
  const text = "x".repeat(20_000);
  const answer = await house.clients.decisions.decide(ask("long", "fs.write_file", { path: "/p", text }), { headers });
  const { decision } = await house.clients.ledger.getDecision({ decisionId: answer.decisionId }, { headers });
  expect(decision?.canonical.length).toBeLessThan(8_000);
  expect(decision?.body).toMatchObject({ input: { text }, transformed_input: { path: "/workspace/sandbox/p", text } });
  const again = await house.clients.decisions.decide(ask("long", "fs.write_file", { path: "/p", text }), { headers });
  expect(again.transformed).toEqual(answer.transformed);
});

test("a batch answers one an item, in order, and an error of one is its own", async () => {
  const items = [
    ask("batch-1", "invoices.read", {}),
    ask("", "invoices.read", {}),
    ask("batch-3", "payments.transfer", { amount: 20_000 }),
  ];
  const answer = await house.clients.decisions.decideBatch({ items }, { headers });
  expect(answer.items.map(({ outcome }) => outcome.case)).toEqual(["decision", "error", "decision"]);
  expect(answer.items[1]?.outcome.value).toMatchObject({ detail: { reason: "request_invalid", field: "call_id" } });
  expect(answer.items[2]?.outcome.value).toMatchObject({ effect: Effect.DENY });
});

test("explain shows every rule that was considered, and records nothing", async () => {
  const count = () =>
    withClient(house.database.runtimeUrl, async (client) => {
      const { rows } = await client.query("select count(*)::int as records from record");
      return rows[0].records as number;
    });
  const before = await count();
  const call = ask("explained", "payments.transfer", { amount: 501 });
  const answer = await house.clients.decisions.explain({ call }, { headers });
  expect(answer.verdict?.effect).toBe(Effect.ESCALATE);
  const results = Object.fromEntries(answer.considered.map(({ rule, result }) => [rule?.rule, result]));
  expect(results).toMatchObject({ "small-transfers": "false", "large-transfers": "true", "never-that-much": "false" });
  expect(await count()).toBe(before);
  const escalates = answer.considered.find(({ rule }) => rule?.rule === "large-transfers");
  expect(escalates?.mode).toBe(Mode.ENFORCED);
  expect(escalates?.conditions.flatMap(({ parts }) => parts)).toMatchObject([
    { depth: 0, operands: "", outcome: "value", value: "true" },
    { depth: 1, text: "input.amount > 500", operands: "501 > 500", outcome: "value", value: "true" },
    { depth: 1, text: "input.amount <= 10000", operands: "501 <= 10000", outcome: "value", value: "true" },
  ]);
  expect(answer.checks.map(({ name, outcome }) => `${name} ${outcome}`)).toContain("scope passed");
  expect(answer.skipped?.notReached).toBe(0);
});
