import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { House } from "../../services/pdp/test/support/pdp.ts";
import {
  type Client,
  type ClientOptions,
  createClient,
  DeniedError,
  NothingSpent,
  PausedError,
  RemitError,
  type Session,
} from "../src/index.ts";
import { startDemoHouse } from "./support/demo-house.ts";
import { rejection } from "./support/harness.ts";

let house: House;
let client: Client;
let session: Session;

// A busy machine must not turn an answer into a denial.
const connect = (options: ClientOptions = {}): Client =>
  createClient({
    address: house.pdp.grpcAddress,
    key: house.ownerKey,
    deadlineMs: 30_000,
    hedgeMs: 20_000,
    ...options,
  });

const payment = { to: "Nile Trading", amount: 40, currency: "EUR", memo: "invoice 2041" };

async function entry(decisionId: string) {
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  const { decision, reports } = await house.clients.ledger.getDecision({ decisionId }, { headers });
  return {
    decision: decision?.body as Record<string, unknown>,
    reports: reports.map(({ body }) => body as Record<string, unknown>),
  };
}

beforeAll(async () => {
  house = await startDemoHouse();
  client = connect();
  await client.ready();
  session = await client.openSession({ agent: "bookkeeper", principal: { id: "ada@acme.example" }, purpose: "tests" });
});

afterAll(async () => {
  await client?.close();
  await house?.close();
});

test("ready tells a wrong key from a service that is not there", async () => {
  const stranger = connect({ key: `rmt_${"x".repeat(43)}` });
  onTestFinished(() => stranger.close());
  expect(await rejection(stranger.ready(), RemitError)).toMatchObject({ status: "UNAUTHENTICATED", retryable: false });
});

test("an allowed tool runs, and the ledger has the decision and what became of it", async () => {
  let decisionId = "";
  const transfer = client.tool("payments.transfer", (input: typeof payment, { idempotencyKey, constraints, cost }) => {
    decisionId = idempotencyKey;
    expect(constraints).toEqual([{ name: "timeout", value: { durationMs: 10_000 } }]);
    cost({ unit: "EUR", value: "40.00" });
    return input.amount;
  });
  expect(await transfer(session, payment, { estimate: [{ unit: "EUR", value: "40" }] })).toBe(40);
  await client.flush({ timeoutMs: 30_000 });
  const { decision, reports } = await entry(decisionId);
  expect(decision).toMatchObject({ effect: "allow", session: { id: session.id } });
  expect(reports).toEqual([
    expect.objectContaining({ outcome: "succeeded", input_matches: true, actual: [{ unit: "EUR", value: "40" }] }),
  ]);
});

test("what runs of a transformed call is what the service says, and its report matches", async () => {
  const call = { tool: "files.write", input: { path: "/etc/passwd", text: "x" } };
  let decisionId = "";
  const path = await client.guard(session, call, (input, run) => {
    decisionId = run.decision.decisionId;
    expect(run.decision.effect).toBe("transform");
    return input.path;
  });
  expect(path).toBe("/workspace/sandbox/passwd");
  await client.flush({ timeoutMs: 30_000 });
  expect((await entry(decisionId)).reports).toEqual([expect.objectContaining({ input_matches: true })]);
});

test("a rule's denial, an unknown tool and an input of the wrong shape are denials with their codes", async () => {
  const work = () => {
    throw new Error("it ran");
  };
  const denied = async (tool: string, input: object) =>
    (await rejection(client.guard(session, { tool, input }, work), DeniedError)).code;
  expect(await denied("customers.delete", { filter: "all" })).toBe("rule_denied");
  expect(await denied("payments.refund", {})).toBe("tool_unknown");
  expect(await denied("payments.transfer", { to: "x" })).toBe("input_invalid");
});

test("where an agent is observed, what enforcement would stop runs as it was proposed, and says so", async () => {
  const document = {
    file: "agent.yaml",
    text: "{apiVersion: remit/v1, kind: Agent, metadata: {name: watched}, spec: {mode: observe}}",
  };
  await house.clients.agents.putAgent({ document }, { headers: { authorization: `Bearer ${house.ownerKey}` } });
  const watched = await client.openSession({ agent: "watched", principal: { id: "ada@acme.example" } });
  const proposed = { path: "/etc/passwd", text: "x" };
  const seen = await client.guard(watched, { tool: "files.write", input: proposed }, (input, run) => {
    expect(input).toEqual(proposed);
    return run.decision;
  });
  expect(seen).toMatchObject({ effect: "allow", mode: "observed", would: { effect: "transform" } });
  const call = { tool: "customers.delete", input: { filter: "all" } };
  const denied = await client.guard(watched, call, (_input, run) => run.decision.would);
  expect(denied).toMatchObject({ effect: "deny", reason: { code: "rule_denied" } });
});

test("a call that ran is not run again under its id, and another input under it is an error", async () => {
  const call = { tool: "payments.transfer", input: payment, callId: "pay-once" };
  expect(await client.guard(session, call, () => "first")).toBe("first");
  expect(
    await rejection(
      client.guard(session, call, () => "second"),
      DeniedError,
    ),
  ).toMatchObject({
    code: "already_executed",
    local: false,
  });
  const other = { ...call, input: { ...payment, amount: 41 } };
  expect(
    await rejection(
      client.guard(session, other, () => "other"),
      RemitError,
    ),
  ).toMatchObject({
    status: "ALREADY_EXISTS",
    reason: "call_id_reused",
    field: "call_id",
  });
});

test("a tool that says that nothing was spent is recorded as failed, one that throws as unknown", async () => {
  const run = async (error: Error) => {
    let decisionId = "";
    const thrown = await client
      .guard(session, { tool: "payments.transfer", input: payment }, (_, { idempotencyKey }) => {
        decisionId = idempotencyKey;
        throw error;
      })
      .catch((caught: unknown) => caught);
    expect(thrown).toBe(error);
    await client.flush({ timeoutMs: 30_000 });
    return (await entry(decisionId)).reports.map(({ outcome }) => outcome);
  };
  expect(await run(new NothingSpent("the card was refused"))).toEqual(["failed"]);
  expect(await run(new Error("the line broke"))).toEqual(["unknown"]);
});

test("a large payment pauses; asked again it is the same decision", async () => {
  const transfer = client.tool("payments.transfer", (input: typeof payment) => input.amount);
  const first = await rejection(transfer(session, { ...payment, amount: 900 }), PausedError);
  expect(first.paused).toMatchObject({ effect: "escalate", approval: { state: "pending" } });
  const again = await rejection(transfer.resume(session, JSON.parse(JSON.stringify(first))), PausedError);
  expect(again.paused.decisionId).toBe(first.paused.decisionId);
});

test("a payment without a memo is asked about", async () => {
  const { memo: _, ...unexplained } = payment;
  const decision = await client.decide(session, { tool: "payments.transfer", input: unexplained });
  expect(decision).toMatchObject({
    effect: "clarify",
    paused: { questions: [{ id: "memo", type: "string", ask: "What is this payment for?" }] },
  });
});

test("a call that was never decided may be reported as not executed", async () => {
  const told = await client.report(session, { callId: "never-asked", outcome: "not_executed" });
  expect(told).toMatchObject({ decisionId: "", outcome: "not_executed", replayed: false });
});

test("a session is taken over by its id; once closed, its calls are denied everywhere", async () => {
  const own = await client.openSession({ agent: "bookkeeper", principal: { id: "bob" }, runId: "adopted" });
  const elsewhere = connect();
  onTestFinished(() => elsewhere.close());
  const adopted = await elsewhere.adoptSession(own.id);
  expect(adopted).toMatchObject({ id: own.id, agent: "bookkeeper", runId: "adopted", principal: { id: "bob" } });
  const call = { tool: "invoices.read", input: { id: "1" } };
  expect(await elsewhere.decide(adopted, call)).toMatchObject({ effect: "allow" });
  await own.close();
  expect(await client.decide(own, call)).toMatchObject({ effect: "deny", reason: { code: "session_closed" } });
  expect(await elsewhere.decide(adopted, call)).toMatchObject({ effect: "deny", reason: { code: "session_closed" } });
});

test("a hundred calls at once are each decided, run and reported", async () => {
  const read = client.tool("invoices.read", ({ id }: { id: string }) => id);
  const ids = Array.from({ length: 50 }, (_, n) => `${n}`);
  const runs = [1, 2].map((n) => client.openSession({ agent: "bookkeeper", runId: `many-${n}` }));
  const sessions = await Promise.all(runs);
  const results = await Promise.all(sessions.flatMap((one) => ids.map((id) => read(one, { id }))));
  expect(results).toEqual([...ids, ...ids]);
  expect(await client.flush({ timeoutMs: 30_000 })).toBe(true);
  expect(client.stats()).toMatchObject({ reportsQueued: 0, reportsRefused: 0, reportsLost: 0 });
});
