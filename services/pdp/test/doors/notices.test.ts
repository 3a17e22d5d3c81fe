import type { MessageInitShape } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { type DecideResponse, Outcome } from "@remit/proto/decision";
import type { RevocationSubjectSchema } from "@remit/proto/revocation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { type ExchangeStream, openStream } from "../support/exchange-stream.ts";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const HOUR_MS = 3_600_000;
const clock = settableClock(START_MS);
let database: TestDatabase;
/** Where things are changed, and where streams are open: two replicas of one service. */
let here: House;
let there: House;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.runtimeUrl);
  here = await startHouse({ database, config, clock });
  await furnish(here);
  there = await startHouse({ database, config, clock, ownerKey: here.ownerKey });
});

afterAll(async () => {
  await there.close();
  await here.close();
  await database.drop();
});

const headers = () => ({ authorization: `Bearer ${here.ownerKey}` });
const decideFrame = (handle: number, callId: string, tool = "payments.transfer") => {
  const input = {
    case: "inputJson",
    value: Buffer.from(tool === "payments.transfer" ? '{"amount":1}' : "{}"),
  } as const;
  const call = { callId, tool, input, supportedConstraints: ["timeout", "maxOutputBytes"] };
  return { case: "decide", value: { handle, call } } as const;
};

let frames = 1n;
const next = () => ++frames;

async function allow(stream: ExchangeStream, handle: number, callId: string, tool?: string): Promise<DecideResponse> {
  const answer = await stream.ask(next(), decideFrame(handle, callId, tool));
  if (answer.case !== "decided") throw new Error(`${callId} was answered ${answer.case}`);
  expect(answer.value).toMatchObject({ effect: Effect.ALLOW });
  return answer.value;
}

const reportFrame = (handle: number, decisionId: string) => {
  const report = { subject: { case: "decisionId", value: decisionId }, outcome: Outcome.SUCCEEDED } as const;
  return { case: "report", value: { handle, report } } as const;
};

const put = (kind: "Agent" | "Tool", name: string, status: string) => {
  const text = `{apiVersion: remit/v1, kind: ${kind}, metadata: {name: ${name}}, spec: {status: ${status}${kind === "Tool" ? ", risk: write" : ""}}}`;
  const document = { file: "document.yaml", text };
  return kind === "Agent"
    ? here.clients.agents.putAgent({ document }, { headers: headers() })
    : here.clients.tools.putTool({ document }, { headers: headers() });
};

test("a session that is closed elsewhere has its calls cancelled and its handle ended, and nobody else has", async () => {
  const stream = openStream(there);
  const [mine, other] = [await openSession(here), await openSession(here)];
  const handle = await stream.attach(next(), mine.token);
  const untouched = await stream.attach(next(), other.token);
  const reported = await allow(stream, handle, "reported");
  await stream.ask(next(), reportFrame(handle, reported.decisionId));
  await allow(stream, handle, "running");
  await allow(stream, untouched, "running");
  await here.clients.sessions.closeSession({ sessionId: mine.session.id }, { headers: headers() });
  const code = "session_closed";
  expect(await stream.noticed(2)).toMatchObject([
    { case: "callCancel", value: { handle, callId: "running", code } },
    { case: "sessionEnded", value: { handle, code } },
  ]);
  // What is still running elsewhere is told of by a report, whatever became of its session.
  const late = await allow(stream, untouched, "second");
  expect(await stream.ask(next(), reportFrame(untouched, late.decisionId))).toMatchObject({ case: "reported" });
  expect(await stream.ask(next(), decideFrame(handle, "afterwards"))).toMatchObject({
    case: "decided",
    value: { effect: Effect.DENY, reason: { code } },
  });
  expect(stream.notices).toHaveLength(2);
  await stream.end();
});

test("a session that is revoked is told so", async () => {
  const stream = openStream(there);
  const { session, token } = await openSession(here);
  const handle = await stream.attach(next(), token);
  await allow(stream, handle, "running");
  await withClient(database.superuserUrl, (pg) =>
    pg.query("update session set state = 'revoked', closed_at = now() where id = $1", [session.id]),
  );
  const code = "session_revoked";
  expect(await stream.noticed(2)).toMatchObject([
    { case: "callCancel", value: { callId: "running", code } },
    { case: "sessionEnded", value: { handle, code } },
  ]);
  await stream.end();
});

const revoke = async (subject: NonNullable<MessageInitShape<typeof RevocationSubjectSchema>["subject"]>) => {
  const request = { subject: { subject }, reason: "it leaked" };
  const { revocation } = await here.clients.revocations.revoke(request, { headers: headers() });
  return revocation?.id ?? "";
};
const lift = (revocationId: string) =>
  here.clients.revocations.lift({ revocationId, reason: "mended" }, { headers: headers() });

test("what an operator revokes or halts has its calls cancelled, and its session told so", async () => {
  const stream = openStream(there);
  const principal = { onBehalfOf: { case: "principal", value: { id: "bo" } } } as const;
  const { session, token } = await openSession(here, { ...principal, labels: { wing: "east" } });
  const handle = await stream.attach(next(), token);
  const untouched = await stream.attach(next(), (await openSession(here)).token);
  await allow(stream, untouched, "goes on");
  const ended = (code: string) => ({ case: "sessionEnded", value: { handle, code } });
  const cases = [
    [{ case: "principal", value: "bo" }, "principal_suspended", ended("principal_suspended")],
    [{ case: "labels", value: { matchLabels: { wing: "east" } } }, "halted", { case: "halted", value: { handle } }],
    [{ case: "tool", value: "payments.transfer" }, "tool_suspended", undefined],
    [{ case: "session", value: session.id }, "session_revoked", ended("session_revoked")],
  ] as const;
  const expected: object[] = [];
  for (const [subject, code, told] of cases) {
    await eventually(async () => {
      const frame = next();
      const answer = await stream.ask(frame, decideFrame(handle, `running ${frame}`));
      return answer.case === "decided" && answer.value.effect === Effect.ALLOW;
    });
    const callId = `running ${frames}`;
    const id = await revoke(subject);
    expected.push({ case: "callCancel", value: { handle, callId, code } });
    if (subject.case === "tool") expected.push({ case: "callCancel", value: { handle: untouched, code } });
    if (told) expected.push(told);
    await stream.noticed(expected.length);
    if (subject.case !== "session") await lift(id);
  }
  const byHandle = (list: readonly object[]) =>
    [...list].sort(
      (a, b) =>
        Number(JSON.stringify(a).includes(`"handle":${untouched}`)) -
        Number(JSON.stringify(b).includes(`"handle":${untouched}`)),
    );
  expect(byHandle(stream.notices)).toMatchObject(byHandle(expected));
  await stream.end();
});

/** Sessions of the owner's below another one, and a token of each. */
async function openBelow(parent: string, count: number): Promise<readonly string[]> {
  const inserted = await withClient(database.superuserUrl, (pg) =>
    pg.query<{ id: string }>(
      `insert into session (id, tenant, agent, principal_id, principal_verified, opened_at, expires_at, opened_by, parent,
          depth)
        select gen_random_uuid(), p.tenant, p.agent, p.principal_id, p.principal_verified, p.opened_at, p.expires_at,
            p.opened_by, p.id, 1
          from session p, generate_series(1, $2) where p.id = $1 returning id`,
      [parent, count],
    ),
  );
  const tokens: string[] = [];
  for (const { id } of inserted.rows) {
    tokens.push((await here.clients.sessions.renewSession({ sessionId: id }, { headers: headers() })).token);
  }
  return tokens;
}

test("of a session revoked that very many are below none is allowed a call after that, and those there first are told first", async () => {
  const { session } = await openSession(here);
  const tokens = await openBelow(session.id, 200);
  const streams = [openStream(here), openStream(there)];
  const handles = new Map<ExchangeStream, number[]>(streams.map((stream) => [stream, []]));
  for (const [at, token] of tokens.entries()) {
    const stream = streams[at % 2] as ExchangeStream;
    handles.get(stream)?.push(await stream.attach(next(), token));
  }
  for (const stream of streams) await allow(stream, handles.get(stream)?.[0] ?? 0, "before");
  await revoke({ case: "session", value: session.id });
  const asked = [...handles].flatMap(([stream, its]) =>
    its.map((handle) => stream.ask(next(), decideFrame(handle, `after ${handle}`))),
  );
  const refused = { case: "decided", value: { effect: Effect.DENY, reason: { code: "session_revoked" } } };
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject(refused);
  for (const [stream, its] of handles) {
    const notices = await stream.noticed(its.length + 1);
    const ends = notices.filter((notice) => notice.case === "sessionEnded").map(({ value }) => value.handle);
    expect([notices[0]?.case, ends]).toEqual(["callCancel", its]);
    expect(notices).toHaveLength(its.length + 1);
    await stream.end();
  }
});

test("an agent that is suspended ends its handles, each time; back at work, it may ask on them again", async () => {
  const stream = openStream(there);
  const { token } = await openSession(here);
  const handle = await stream.attach(next(), token);
  const expected = [];
  let callId = "first";
  await allow(stream, handle, callId);
  for (let times = 0; times < 2; times++) {
    await put("Agent", "clerk", "suspended");
    const code = "agent_suspended";
    expected.push({ case: "callCancel", value: { callId, code } }, { case: "sessionEnded", value: { handle, code } });
    expect(await stream.noticed(expected.length)).toMatchObject(expected);
    await put("Agent", "clerk", "active");
    // The other replica hears of it in its own time: until then it denies.
    await eventually(async () => {
      const frame = next();
      callId = `asked-in-${frame}`;
      const answer = await stream.ask(frame, decideFrame(handle, callId));
      return answer.case === "decided" && answer.value.effect === Effect.ALLOW;
    });
  }
  await stream.end();
});

test("a tool that is suspended has its calls cancelled; their session goes on", async () => {
  const stream = openStream(there);
  const { token } = await openSession(here);
  const handle = await stream.attach(next(), token);
  await allow(stream, handle, "reads", "invoices.read");
  await allow(stream, handle, "pays");
  await put("Tool", "invoices.read", "suspended");
  const expected = { case: "callCancel", value: { handle, callId: "reads", code: "tool_suspended" } };
  expect(await stream.noticed(1)).toMatchObject([expected]);
  await put("Tool", "invoices.read", "active");
  await allow(stream, handle, "pays again");
  expect(stream.notices).toHaveLength(1);
  await stream.end();
});

test("a token that runs out ends its handle for decisions, cancels nothing, and still reports", async () => {
  const stream = openStream(there);
  const { token } = await openSession(here);
  const handle = await stream.attach(next(), token);
  const [first, second] = [await allow(stream, handle, "first"), await allow(stream, handle, "second")];
  clock.set(START_MS + 2 * HOUR_MS);
  expect(await stream.noticed(1)).toMatchObject([{ case: "sessionEnded", value: { handle, code: "token_expired" } }]);
  const expired = { case: "error", value: { code: 16, detail: { reason: "token_expired" } } };
  expect(await stream.ask(next(), decideFrame(handle, "third"))).toMatchObject(expired);
  expect(await stream.ask(next(), reportFrame(handle, first.decisionId))).toMatchObject({ case: "reported" });

  const again = openStream(there);
  const late = await again.attach(next(), token);
  expect(await again.ask(next(), decideFrame(late, "fourth"))).toMatchObject(expired);
  expect(await again.ask(next(), reportFrame(late, second.decisionId))).toMatchObject({ case: "reported" });
  clock.set(START_MS + 26 * HOUR_MS);
  expect(await again.ask(next(), { case: "attach", value: { sessionToken: token } })).toMatchObject(expired);
  clock.set(START_MS);
  expect([stream.notices.length, again.notices.length]).toEqual([1, 0]);
  await Promise.all([stream.end(), again.end()]);
});

test("a session whose time is over has its calls cancelled", async () => {
  const stream = openStream(there);
  const { token } = await openSession(here, { maxLifetimeSeconds: 60 });
  const handle = await stream.attach(next(), token);
  await allow(stream, handle, "running");
  clock.set(START_MS + 61_000);
  const code = "session_closed";
  expect(await stream.noticed(2)).toMatchObject([
    { case: "callCancel", value: { callId: "running", code } },
    { case: "sessionEnded", value: { handle, code } },
  ]);
  clock.set(START_MS);
  await stream.end();
});
