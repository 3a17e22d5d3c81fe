import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { withClient } from "../support/test-database.ts";

let house: House;
let headers: Record<string, string>[];
let calls = 0;

afterEach(() => house.close());

const ask = (callId = `call-${++calls}`) => ({
  callId,
  tool: "invoices.read",
  input: { case: "inputObject" as const, value: {} },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});
const by = (at: number) => ({ headers: headers[at % headers.length] ?? {} });
const decide = (at: number) => house.clients.decisions.decide(ask(), by(at));
const explain = () => house.clients.decisions.explain({ call: ask() }, by(0));
const overloaded = { code: "ResourceExhausted", detail: { reason: "overloaded", retryable: true } };

async function shed(rpc: string): Promise<number> {
  const text = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  return Number(new RegExp(`^remit_shed_total\\{rpc="${rpc}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

async function start(overrides: Record<string, number>) {
  house = await startHouse({ overrides });
  await furnish(house);
  headers = (await Promise.all([1, 2, 3].map(() => openSession(house)))).map((opened) => opened.headers);
}

/** Keeps every writer from committing until it is told to go on. */
async function holdWriters() {
  const client = new pg.Client({ connectionString: house.database.superuserUrl });
  await client.connect();
  await client.query("begin");
  await client.query("select from writer where alive for update");
  return async () => {
    await client.query("rollback");
    await client.end();
  };
}

test("when Postgres cannot keep up, Explain is refused first, then Decide, and reports are recorded all the same", async () => {
  await start({ queueRecords: 64, writers: 1 });
  const before = await Promise.all([decide(0), decide(0)]);
  const letGo = await holdWriters();
  const asked: Promise<unknown>[] = [];
  const tellAll: Promise<unknown>[] = [];
  const askFor = async (times: number) => {
    for (let at = 0; at < times; at++) asked.push(decide(at).then(({ effect }) => effect, failureOf));
  };
  try {
    await explain();
    await askFor(16);
    await eventually(() =>
      explain().then(
        () => false,
        () => true,
      ),
    );
    expect(await failure(explain())).toMatchObject(overloaded);
    expect(await shed("Decide"), "Explain alone is turned away").toBe(0);

    await askFor(40);
    await eventually(async () => (await shed("Decide")) > 0);
    for (const { decisionId } of before) {
      const told = { subject: { case: "decisionId" as const, value: decisionId }, outcome: Outcome.SUCCEEDED };
      tellAll.push(house.clients.decisions.report(told, by(0)));
    }
    await eventually(isHeld);
  } finally {
    await letGo();
  }
  for (const told of await Promise.all(tellAll)) expect(told).toMatchObject({ replayed: false });
  const answers = await Promise.all(asked);
  const allowed = answers.filter((answer) => answer === Effect.ALLOW);
  const refused = answers.filter((answer) => answer !== Effect.ALLOW);
  expect(allowed.length).toBeGreaterThanOrEqual(16);
  expect(refused.length).toBeGreaterThan(0);
  for (const answer of refused) expect(answer).toMatchObject(overloaded);
  expect(await shed("Report")).toBe(0);
  // And then it is as before.
  await explain();
  expect((await decide(0)).effect).toBe(Effect.ALLOW);
});

test("a tenant that floods the queue leaves room in it for its neighbours", async () => {
  await start({ queueRecords: 64, writers: 1 });
  const { clients, ownerKey } = house;
  const created = await clients.tenants.createTenant(
    { tenant: "quiet" },
    { headers: { authorization: `Bearer ${ownerKey}` } },
  );
  const quiet = { ...house, ownerKey: created.ownerKey };
  await furnish(quiet);
  const { headers: quietly } = await openSession(quiet);
  const letGo = await holdWriters();
  const asked: Promise<unknown>[] = [];
  let answer: Promise<unknown>;
  try {
    for (let at = 0; at < 90; at++) asked.push(decide(at).then(({ effect }) => effect, failureOf));
    await eventually(async () => (await shed("Decide")) > 0);
    const before = await shed("Decide");
    answer = clients.decisions.decide(ask(), { headers: quietly }).then(({ effect }) => effect, failureOf);
    await eventually(isHeld);
    expect(before).toBeGreaterThan(0);
  } finally {
    await letGo();
  }
  expect(await answer).toBe(Effect.ALLOW);
  const answers = await Promise.all(asked);
  expect(answers.filter((one) => one !== Effect.ALLOW).length).toBeGreaterThan(0);
});

const failureOf = (error: unknown) => failure(Promise.reject(error));

/** Whether a statement waits for the lock. */
const isHeld = () =>
  withClient(house.database.superuserUrl, async (client) => {
    const { rows } = await client.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length > 0;
  });

test("a caller that asks too often is told so, its reports and other callers are not", async () => {
  await start({ callerCallsPerSecond: 12 });
  const { clients } = house;
  const owner = { headers: { authorization: headers[0]?.authorization ?? "" } };
  const { key } = await clients.callers.createKey({ name: "other", agents: ["*"] }, owner);
  const first = await decide(0);
  const many = await Promise.all(Array.from({ length: 40 }, (_, at) => decide(at).then(() => undefined, failureOf)));
  const refused = many.filter((one) => one !== undefined);
  expect(refused.length).toBeGreaterThan(0);
  for (const one of refused) {
    expect(one).toMatchObject({
      code: "ResourceExhausted",
      detail: { reason: "quota_exceeded", limit: "12 decisions a second of one caller", retryable: true },
    });
  }
  const report = { subject: { case: "decisionId" as const, value: first.decisionId }, outcome: Outcome.SUCCEEDED };
  expect((await clients.decisions.report(report, by(0))).replayed).toBe(false);
  const other = await openSession(house, {}, key);
  expect((await clients.decisions.decide(ask(), { headers: other.headers })).effect).toBe(Effect.ALLOW);
});
