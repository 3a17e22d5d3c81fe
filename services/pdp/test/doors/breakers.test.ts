import { Effect } from "@remit/proto/common";
import { type DecideResponse, Outcome } from "@remit/proto/decision";
import { BreakerDefaults } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const START_MS = Date.parse("2026-11-21T12:00:00Z");
const SECOND_MS = 1000;

let database: TestDatabase;
let one: House;
let two: House;
const clock = settableClock(START_MS);
let nowMs = START_MS;
let ids = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  one = await startHouse({ breakers: true, database, clock });
  await furnish(one);
  two = await startHouse({ breakers: true, database, config: one.config, clock, ownerKey: one.ownerKey });
});

afterAll(async () => {
  await two.close();
  await one.close();
  await database.drop();
});

function pass(ms: number): void {
  nowMs += ms;
  clock.set(nowMs);
}

type Headers = Record<string, string>;

async function ask(at: House, headers: Headers, tool: string, input: object, callId = `call-${++ids}`) {
  pass(SECOND_MS);
  return at.clients.decisions.decide(
    {
      callId,
      tool,
      input: { case: "inputObject", value: input as never },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );
}

async function tell(at: House, headers: Headers, { decisionId }: DecideResponse, outcome: Outcome) {
  await at.clients.decisions.report({ subject: { case: "decisionId", value: decisionId }, outcome }, { headers });
}

const owner = () => ({ headers: { authorization: `Bearer ${one.ownerKey}` } });
const codeOf = ({ reason }: DecideResponse) => reason?.code;
const waitMs = ({ reason }: DecideResponse) => Number(reason?.retryAfter?.seconds ?? 0n) * SECOND_MS;
const pay = (at: House, headers: Headers, amount: number) => ask(at, headers, "payments.transfer", { amount });

/** Asks until something else than the first code is answered; answers how often the first was. */
async function until(code: string, asking: () => Promise<DecideResponse>) {
  for (let times = 0; times < 50; times++) {
    const answer = await asking();
    if (codeOf(answer) !== code) return { times, answer };
  }
  throw new Error(`it was answered ${code} for ever`);
}

test("the same call again and again is stopped, until something else succeeds the waiting doubles", async () => {
  const { headers } = await openSession(one);
  const { times, answer } = await until("rule_allowed", () => pay(one, headers, 7));
  expect([times, codeOf(answer), answer.effect, answer.reason?.retryable]).toEqual([
    10,
    "loop_detected",
    Effect.DENY,
    true,
  ]);
  expect(waitMs(answer)).toBe(10 * SECOND_MS);
  const page = await (await fetch(`http://${one.pdp.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/remit_breaker_trips_total{kind="identical",mode="enforced"} 1/);
  // Other calls of the tool go on, and this one is stopped as long as it was told.
  expect(codeOf(await pay(one, headers, 8))).toBe("rule_allowed");
  expect(codeOf(await pay(one, headers, 7))).toBe("loop_detected");
  pass(10 * SECOND_MS);
  // One is let through to see; the next waits twice as long.
  expect(codeOf(await pay(one, headers, 7))).toBe("rule_allowed");
  const again = await pay(one, headers, 7);
  expect([codeOf(again), waitMs(again)]).toEqual(["loop_detected", 20 * SECOND_MS]);
});

test("failure after failure stops the tool, and its success sets it free", async () => {
  const { headers } = await openSession(one);
  let amount = 100;
  const fail = async () => {
    const answer = await pay(one, headers, ++amount);
    if (answer.effect === Effect.ALLOW) await tell(one, headers, answer, Outcome.FAILED);
    return answer;
  };
  const { times, answer } = await until("rule_allowed", fail);
  expect([times, codeOf(answer)]).toEqual([8, "loop_detected"]);
  // Another tool is none of it.
  const read = await ask(one, headers, "invoices.read", {});
  expect(codeOf(read)).toBe("rule_allowed");
  await tell(one, headers, read, Outcome.SUCCEEDED);
  expect(codeOf(await pay(one, headers, 1))).toBe("loop_detected");

  pass(waitMs(answer));
  const probe = await pay(one, headers, 2);
  await tell(one, headers, probe, Outcome.SUCCEEDED);
  expect((await until("rule_allowed", fail)).times).toBe(8);
});

test("denial after denial is a loop, whatever the input", async () => {
  const { headers } = await openSession(one);
  let amount = 20_000;
  const { times, answer } = await until("rule_denied", () => pay(one, headers, ++amount));
  expect([times, codeOf(answer)]).toEqual([8, "loop_detected"]);
  // The policy is not asked: what it would allow is stopped too.
  expect(codeOf(await pay(one, headers, 1))).toBe("loop_detected");
});

test("denial after denial for want of budget is a loop too", async () => {
  const put = (kind: string, name: string, spec: string) => {
    const text = `{apiVersion: remit/v1, kind: ${kind}, metadata: {name: ${name}}, spec: ${spec}}`;
    return { document: { file: "b.yaml", text } };
  };
  await one.clients.agents.putAgent(put("Agent", "spender", "{}"), owner());
  const budget = "{unit: calls, window: lifetime, limit: '2', owner: {agent: spender}}";
  await one.clients.budgets.putBudget(put("Budget", "reads", budget), owner());
  const { headers } = await openSession(one, { agent: "spender" });
  let amount = 0;
  const spend = () => pay(one, headers, ++amount);
  expect((await until("rule_allowed", spend)).times).toBe(2);
  const { times, answer } = await until("budget_exhausted", spend);
  // The first was asked just above.
  expect([times, codeOf(answer)]).toEqual([7, "loop_detected"]);
  expect(answer.reason?.message).toContain("by a budget");
});

test("a trip is an entry that holds what it was made from", async () => {
  const { headers } = await openSession(one);
  const { answer } = await until("rule_allowed", () => pay(one, headers, 7));
  const [stored] = (await plainBodies(one, "id = $1", [answer.decisionId])).map((body) => JSON.parse(body));
  const { breaker } = stored as { breaker: Record<string, string> };
  const at = new Date(nowMs).toISOString();
  const until10s = new Date(nowMs + 10 * SECOND_MS).toISOString();
  expect([breaker.kind, breaker.reach, breaker.count, breaker.limit]).toEqual(["identical", "session", "10", "10"]);
  expect([stored.at, breaker.opened, breaker.level, breaker.until]).toEqual([at, true, 0, until10s]);
});

test("where calls are observed nothing is stopped, and `would` says what would have been", async () => {
  const document = {
    file: "a.yaml",
    text: "{apiVersion: remit/v1, kind: Agent, metadata: {name: watched}, spec: {mode: observe}}",
  };
  await one.clients.agents.putAgent({ document }, owner());
  const { headers } = await openSession(one, { agent: "watched" });
  const answers: DecideResponse[] = [];
  for (let times = 0; times < 13; times++) answers.push(await pay(one, headers, 7));
  expect(answers.map(({ effect }) => effect)).toEqual(answers.map(() => Effect.ALLOW));
  expect(answers.map(({ would }) => would?.reason?.code).slice(9)).toEqual([
    ...["rule_allowed", "loop_detected", "loop_detected", "loop_detected"],
  ]);
});

test("defaults that are observed stop nothing, and what a tool says itself does, and replaces them", async () => {
  await one.clients.tenants.updateTenant({ breakers: BreakerDefaults.OBSERVE }, owner());
  const spec = "{risk: read, limits: {identical: 12}}";
  const text = `{apiVersion: remit/v1, kind: Tool, metadata: {name: invoices.read}, spec: ${spec}}`;
  await one.clients.tools.putTool({ document: { file: "t.yaml", text } }, owner());
  const { headers } = await openSession(one);
  const read = () => ask(one, headers, "invoices.read", { id: "INV-1" });
  expect((await until("rule_allowed", read)).times).toBe(12);
  await one.clients.tenants.updateTenant({ breakers: BreakerDefaults.ENFORCE }, owner());
  const { headers: others } = await openSession(one);
  // More than the default too.
  expect((await until("rule_allowed", () => ask(one, others, "invoices.read", {}))).times).toBe(12);
  expect((await until("rule_allowed", () => pay(one, others, 7))).times).toBe(10);
});

test("a loop that moves into sessions that were handed on is one still", async () => {
  const { headers } = await openSession(one);
  const document = { file: "h.yaml", text: "{apiVersion: remit/v1, kind: Agent, metadata: {name: helper}, spec: {}}" };
  await one.clients.agents.putAgent({ document }, owner());
  const child = async () => {
    const { token } = await one.clients.sessions.delegate({ agent: "helper", scope: { tools: ["*"] } }, { headers });
    return { ...headers, "remit-session": token };
  };
  // Each child asks once.
  const { times } = await until("rule_allowed", async () => pay(one, await child(), 7));
  expect(times).toBe(40);
});

test("what tripped is listed, and once an operator resets it calls go on, on every replica", async () => {
  const { headers, session } = await openSession(one);
  await until("rule_allowed", () => pay(one, headers, 7));
  const ofSession = async (all = false) => {
    const { breakers } = await two.clients.breakers.listBreakers({ all }, owner());
    return breakers.filter(({ sessionId }) => sessionId === session.id);
  };
  const [tripped, ...more] = await ofSession();
  expect(more).toEqual([]);
  const { tool, kind, reach, agent, level, open } = tripped ?? {};
  expect({ tool, kind, reach, agent, level, open }).toEqual({
    ...{ tool: "payments.transfer", kind: "identical", reach: "session" },
    ...{ agent: session.agent, level: 0, open: true },
  });
  await eventually(async () => codeOf(await pay(two, headers, 7)) === "loop_detected");

  const request = { sessionId: session.id, tool: "payments.transfer", reason: "it was meant" };
  const { runSessionId } = await one.clients.breakers.resetBreaker(request, owner());
  expect(runSessionId).toBe(session.id);
  expect(await ofSession(true)).toEqual([]);
  expect(codeOf(await pay(one, headers, 7))).toBe("rule_allowed");
  await eventually(async () => codeOf(await pay(two, headers, 7)) === "rule_allowed");
  const told = await plainBodies(one, "kind = $1", ["admin"]);
  expect(told.filter((text) => text.includes('"breaker_reset"') && text.includes("it was meant"))).toHaveLength(1);
});

test("asking one call again is no further call", async () => {
  const { headers } = await openSession(one);
  for (let times = 0; times < 30; times++) {
    expect(codeOf(await ask(one, headers, "payments.transfer", { amount: 3 }, "the-one"))).toBe("rule_allowed");
    pass(-SECOND_MS);
  }
});

test("a restart is no escape, and the back-off goes on where it was", async () => {
  const { headers } = await openSession(one);
  for (let times = 0; times < 9; times++) await pay(one, headers, 7);
  const after = await startHouse({ breakers: true, database, config: one.config, clock, ownerKey: one.ownerKey });
  expect(codeOf(await pay(after, headers, 7))).toBe("rule_allowed");
  const stopped = await pay(after, headers, 7);
  expect([codeOf(stopped), waitMs(stopped)]).toEqual(["loop_detected", 10 * SECOND_MS]);
  await after.close();

  await using last = await startHouse({ breakers: true, database, config: one.config, clock, ownerKey: one.ownerKey });
  expect(codeOf(await pay(last, headers, 7))).toBe("loop_detected");
  pass(10 * SECOND_MS);
  expect(codeOf(await pay(last, headers, 7))).toBe("rule_allowed");
  expect(waitMs(await pay(last, headers, 7))).toBe(20 * SECOND_MS);
});

test("two replicas that take turns count together", async () => {
  const { headers } = await openSession(one);
  for (let times = 0; times < 5; times++) {
    await pay(one, headers, 9);
    await pay(two, headers, 9);
  }
  // What one recorded the other knows in a moment.
  await eventually(async () => codeOf(await pay(two, headers, 9)) === "loop_detected");
  await eventually(async () => codeOf(await pay(one, headers, 9)) === "loop_detected");
});
