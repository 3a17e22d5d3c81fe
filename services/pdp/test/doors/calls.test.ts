import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { failure, furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

// Two replicas of one tenant, whose time is ours.
const START_MS = Date.parse("2026-03-01T09:00:00Z");
const clock = settableClock(START_MS);
let database: TestDatabase;
let config: ReturnType<typeof testConfig>;
let one: House;
let two: House;
let headers: Record<string, string>;
let sessionId: string;

const owner = () => ({ headers: { authorization: `Bearer ${one.ownerKey}` } });

beforeAll(async () => {
  database = await createTestDatabase();
  config = testConfig(database.runtimeUrl);
  one = await startHouse({ database, config, clock });
  await furnish(one);
  two = await startHouse({ database, config, clock, ownerKey: one.ownerKey });
  const opened = await openSession(one);
  headers = opened.headers;
  sessionId = opened.session.id;
});

afterAll(async () => {
  await one.close();
  await two.close();
  await database.drop();
});

type Answers = Readonly<Record<string, string>>;

function ask(at: House, callId: string, tool: string, input: object, answers?: Answers, as = headers) {
  return at.clients.decisions.decide(
    {
      callId,
      tool,
      input: { case: "inputObject", value: input as never },
      ...(answers && { answers: { case: "answersObject", value: answers } }),
    },
    { headers: as },
  );
}

const pay = (at: House, callId: string, amount: number, answers?: Answers) =>
  ask(at, callId, "payments.transfer", { amount }, answers);

const report = (at: House, subject: { decisionId: string } | { callId: string }, outcome: Outcome, as = headers) =>
  at.clients.decisions.report(
    {
      subject:
        "decisionId" in subject
          ? { case: "decisionId", value: subject.decisionId }
          : { case: "callId", value: subject.callId },
      outcome,
    },
    { headers: as },
  );

/** How many entries of decisions there are of a call's id. */
const recorded = async (callId: string) => {
  const bodies = await plainBodies(one, "kind = 'decision' and session = $1", [sessionId]);
  return bodies.filter((body) => JSON.parse(body).call.id === callId).length;
};

async function later(ms: number, work: () => Promise<void>): Promise<void> {
  clock.set(START_MS + ms);
  try {
    await work();
  } finally {
    clock.set(START_MS);
  }
}

describe("a paused call", () => {
  test("asked again with nothing new is the same decision on every replica, and recorded once", async () => {
    const first = await pay(one, "paused", 13);
    const again = [await pay(two, "paused", 13), await pay(one, "paused", 13, {})];
    for (const answer of again) {
      expect(answer).toMatchObject({ effect: Effect.CLARIFY, replayed: true, attempt: 1, record: first.record });
    }
    expect(await recorded("paused")).toBe(1);
  });

  test("asked with its answer is a new attempt with an id of its own, and then closed", async () => {
    const first = await pay(one, "answered", 13);
    const second = await pay(two, "answered", 13, { memo: "cake" });
    expect(second).toMatchObject({ effect: Effect.ALLOW, attempt: 2, replayed: false, reason: { code: "clarified" } });
    expect(second.decisionId).not.toBe(first.decisionId);
    // What was answered stays answered: a framework that resumes asks with the id alone.
    const third = await pay(one, "answered", 13);
    expect(third).toMatchObject({ decisionId: second.decisionId, attempt: 2, replayed: true, effect: Effect.ALLOW });
    expect(await recorded("answered")).toBe(2);
  });

  test("asked with an answer that answers nothing is attempted once, not once a request", async () => {
    await pay(one, "blank", 13);
    const blank = await pay(one, "blank", 13, { memo: " " });
    expect(blank).toMatchObject({ effect: Effect.CLARIFY, attempt: 2 });
    expect(await pay(two, "blank", 13, { memo: " " })).toMatchObject({ decisionId: blank.decisionId, replayed: true });
    expect(await recorded("blank")).toBe(2);
  });

  test("waits for its approval until that runs out, and then is denied for good", async () => {
    const waiting = await pay(one, "escalated", 600);
    expect(Number(waiting.approval?.expiresAt?.seconds)).toBe(START_MS / 1000 + 15 * 60);
    await later(15 * 60_000 - 1, async () => {
      expect(await pay(two, "escalated", 600)).toMatchObject({ decisionId: waiting.decisionId, replayed: true });
    });
    await later(15 * 60_000, async () => {
      const over = await pay(two, "escalated", 600);
      expect(over).toMatchObject({ effect: Effect.DENY, attempt: 2, reason: { code: "approval_expired" } });
      expect(await pay(one, "escalated", 600)).toMatchObject({ decisionId: over.decisionId, replayed: true });
    });
  });

  test("that was reported as not executed is not closed by it", async () => {
    const waiting = await pay(one, "given-up-while-paused", 13);
    const told = await report(one, { callId: "given-up-while-paused" }, Outcome.NOT_EXECUTED);
    expect(told.decisionId).toBe(waiting.decisionId);
    const answer = await pay(two, "given-up-while-paused", 13, { memo: "cake" });
    expect(answer).toMatchObject({ effect: Effect.ALLOW, attempt: 2 });
  });
});

test("a denial that may be asked again is attempted once more after its time, and not before", async () => {
  const tool = (type: string) => `apiVersion: remit/v1
kind: Tool
metadata: { name: ledger.post }
spec: { risk: write, inputSchema: { type: object, properties: { amount: { type: ${type} } } } }
`;
  const register = (type: string) =>
    one.clients.tools.putTool({ document: { file: "tool.yaml", text: tool(type) } }, owner());
  const seen = await register("number");
  await register("integer");
  const post = (at: House) =>
    at.clients.decisions.decide(
      {
        callId: "posted",
        tool: "ledger.post",
        input: { case: "inputObject", value: { amount: 1 } },
        toolSchemaDigest: seen.tool?.schemaDigest ?? "",
      },
      { headers },
    );
  const denied = await post(one);
  expect(denied).toMatchObject({ effect: Effect.DENY, reason: { code: "tool_schema_changed", retryable: true } });
  expect(denied.reason?.retryAfter).toMatchObject({ seconds: 1n });
  await register("number");
  expect(await post(two)).toMatchObject({ decisionId: denied.decisionId, replayed: true });
  await later(1_000, async () => {
    // No rule speaks of the tool, and that is another denial than before.
    const again = await post(two);
    expect(again).toMatchObject({ attempt: 2, replayed: false, reason: { code: "no_rule_matched" } });
    expect(await post(one)).toMatchObject({ decisionId: again.decisionId, replayed: true });
  });
});

describe("the same call at two replicas at once", () => {
  const race = async (rounds: number, asks: (round: number) => Promise<readonly { decisionId: string }[]>) => {
    for (let round = 0; round < rounds; round += 20) {
      const raced = await Promise.all(Array.from({ length: 20 }, (_, at) => asks(round + at)));
      for (const answers of raced) expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(1);
    }
  };

  test("is one decision", async () => {
    await race(200, (round) =>
      Promise.all([
        ask(one, `race-${round}`, "invoices.read", { round }),
        ask(two, `race-${round}`, "invoices.read", { round }),
        ask(one, `race-${round}`, "invoices.read", { round }),
      ]),
    );
    expect(await recorded("race-7")).toBe(1);
  });

  test("is one further attempt when both bring the same answer", async () => {
    await race(100, async (round) => {
      const id = `race-answer-${round}`;
      await pay(round % 2 === 0 ? one : two, id, 13);
      return Promise.all([pay(one, id, 13, { memo: "cake" }), pay(two, id, 13, { memo: "cake" })]);
    });
    expect(await recorded("race-answer-3")).toBe(2);
  });

  test("is one decision or one refusal when the inputs differ", async () => {
    const raced = await Promise.all(
      Array.from({ length: 40 }, (_, round) =>
        Promise.allSettled([
          ask(one, `race-input-${round}`, "invoices.read", { of: "one" }),
          ask(two, `race-input-${round}`, "invoices.read", { of: "two" }),
        ]),
      ),
    );
    for (const answers of raced) {
      expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      const [refused] = answers.filter((answer) => answer.status === "rejected");
      expect(await failure(Promise.reject(refused?.reason))).toMatchObject({ detail: { reason: "call_id_reused" } });
    }
  });
});

test("a service that is started anew answers what the one before it decided", async () => {
  const before = await startHouse({ database, config, clock, ownerKey: one.ownerKey });
  const allowed = await pay(before, "restart-allowed", 5);
  const clarified = await pay(before, "restart-paused", 13);
  await before.close();
  const after = await startHouse({ database, config, clock, ownerKey: one.ownerKey });
  expect(await pay(after, "restart-allowed", 5)).toMatchObject({ decisionId: allowed.decisionId, replayed: true });
  expect(await pay(after, "restart-paused", 13)).toMatchObject({ decisionId: clarified.decisionId, replayed: true });
  expect(await pay(after, "restart-paused", 13, { memo: "x" })).toMatchObject({ effect: Effect.ALLOW, attempt: 2 });
  await after.close();
});

describe("a call that its caller gave up before it arrived", () => {
  test("is never allowed, at any replica, and the denial is recorded once", async () => {
    expect(await report(one, { callId: "overtaken" }, Outcome.NOT_EXECUTED)).toMatchObject({ decisionId: "" });
    const late = await pay(two, "overtaken", 5);
    expect(late).toMatchObject({ effect: Effect.DENY, attempt: 2, reason: { code: "already_executed" } });
    expect(late.reason?.message).toContain("not executed");
    expect(await pay(one, "overtaken", 5)).toMatchObject({ decisionId: late.decisionId, replayed: true });
    expect(await report(two, { callId: "overtaken" }, Outcome.NOT_EXECUTED)).toMatchObject({
      decisionId: late.decisionId,
    });
    expect(await recorded("overtaken")).toBe(1);
  });

  test("raced by its report is either denied, or allowed and reported; never allowed and forgotten", async () => {
    const raced = await Promise.all(
      Array.from({ length: 60 }, async (_, round) => {
        const callId = `race-report-${round}`;
        const [answer] = await Promise.all([pay(one, callId, 5), report(two, { callId }, Outcome.NOT_EXECUTED)]);
        return { callId, answer };
      }),
    );
    for (const { callId, answer } of raced) {
      const after = await pay(two, callId, 5);
      expect(after).toMatchObject({ effect: Effect.DENY, reason: { code: "already_executed" } });
      if (answer.effect === Effect.ALLOW) expect(after.decisionId).toBe(answer.decisionId);
    }
  });
});

test("an allowed call is not allowed again once what its agent may do has been narrowed, at no replica", async () => {
  const allowed = await ask(two, "narrowed", "fs.write_file", { path: "/workspace/a" });
  expect(allowed.effect).toBe(Effect.ALLOW);
  const ceiling = (tools: string) =>
    one.clients.agents.putAgent(
      {
        document: {
          file: "agent.yaml",
          text: `{apiVersion: remit/v1, kind: Agent, metadata: {name: clerk}, spec: {ceiling: {tools: ["${tools}"]}}}`,
        },
      },
      owner(),
    );
  await ceiling("payments.*");
  const answers = [await ask(two, "narrowed", "fs.write_file", { path: "/workspace/a" })];
  answers.push(await ask(one, "narrowed", "fs.write_file", { path: "/workspace/a" }));
  await ceiling("*");
  for (const answer of answers) {
    expect(answer).toMatchObject({ effect: Effect.DENY, replayed: true, reason: { code: "scope_exceeded" } });
  }
});

test("where policies are watched, a call that ran or was given up is allowed again, and what would have been is recorded", async () => {
  const document = (mode: string) => ({
    document: {
      file: "agent.yaml",
      text: `{apiVersion: remit/v1, kind: Agent, metadata: {name: watched}, spec: {mode: ${mode}}}`,
    },
  });
  await one.clients.agents.putAgent(document("observe"), owner());
  const { headers: watched } = await openSession(one, { agent: "watched" });
  const read = (at: House, callId: string) => ask(at, callId, "invoices.read", {}, undefined, watched);
  const first = await read(one, "watched");
  await report(two, { decisionId: first.decisionId }, Outcome.SUCCEEDED, watched);
  const again = await read(two, "watched");
  expect(again).toMatchObject({ effect: Effect.ALLOW, attempt: 2, reason: { code: "observed" } });
  expect(again.would).toMatchObject({ effect: Effect.DENY, reason: { code: "already_executed" } });
  await report(one, { callId: "watched-overtaken" }, Outcome.NOT_EXECUTED, watched);
  expect(await read(two, "watched-overtaken")).toMatchObject({
    effect: Effect.ALLOW,
    would: { reason: { code: "already_executed" } },
  });
});

describe("a report", () => {
  test("may come to any replica, and the first that settles stands at all of them", async () => {
    const { decisionId } = await pay(one, "told-elsewhere", 5);
    expect(await report(two, { decisionId }, Outcome.SUCCEEDED)).toMatchObject({ replayed: false });
    for (const outcome of [Outcome.FAILED, Outcome.RUNNING, Outcome.UNKNOWN]) {
      const told = await report(one, { callId: "told-elsewhere" }, outcome);
      expect(told).toMatchObject({ decisionId, replayed: true, outcome: Outcome.SUCCEEDED });
    }
  });

  test("of another caller than the one that asked is refused, an owner's too", async () => {
    const { decisionId } = await pay(one, "mine", 5);
    const made = await one.clients.callers.createKey({ name: "other", roles: ["owner"], agents: ["*"] }, owner());
    const other = { ...headers, authorization: `Bearer ${made.key}` };
    for (const subject of [{ decisionId }, { callId: "mine" }]) {
      const refused = await failure(report(two, subject, Outcome.NOT_EXECUTED, other));
      expect(refused).toMatchObject({ code: "PermissionDenied", detail: { reason: "report_not_yours" } });
    }
    expect(await report(two, { decisionId }, Outcome.SUCCEEDED)).toMatchObject({ replayed: false });
  });

  test("that comes after its time is taken, and said to be late; a word that the call still runs makes time", async () => {
    const entryOf = async (decisionId: string) => {
      const { reports } = await one.clients.ledger.getDecision({ decisionId }, owner());
      return reports.at(-1)?.body as { late?: boolean };
    };
    const slow = await pay(one, "slow", 5);
    const steady = await pay(one, "steady", 5);
    const reportByMs = Number(slow.reportBy?.seconds) * 1000 - START_MS;
    await later(reportByMs - 1_000, async () => {
      const running = await report(two, { decisionId: steady.decisionId }, Outcome.RUNNING);
      expect(Number(running.reportBy?.seconds)).toBeGreaterThan(Number(steady.reportBy?.seconds));
    });
    await later(reportByMs + 1_000, async () => {
      for (const { decisionId } of [slow, steady]) {
        expect(await report(one, { decisionId }, Outcome.SUCCEEDED)).toMatchObject({ outcome: Outcome.SUCCEEDED });
      }
    });
    expect(await entryOf(slow.decisionId)).toMatchObject({ late: true });
    expect(await entryOf(steady.decisionId)).not.toHaveProperty("late");
    const metrics = await (await fetch(`http://${one.pdp.metricsAddress}/metrics`)).text();
    expect(metrics).toContain("remit_reports_late_total 1");
  });
});
