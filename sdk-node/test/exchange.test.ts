import { status } from "@grpc/grpc-js";
import { Outcome } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { DeniedError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { deferred, harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

// Long enough that nothing but what a test does by hand moves a call.
const patient = { deadlineMs: 600_000, hedgeMs: 600_000 };

test("many calls of two sessions are in flight on one stream, and their answers come in any order", async () => {
  const { server, session, client } = await harness(patient);
  const other = await client.openSession({ agent: "support", runId: "r2" });
  const gates = Array.from({ length: 40 }, () => deferred<void>());
  server.onDecide = async ({ request, n }) => {
    await gates[n]?.promise;
    return allow(request);
  };
  const calls = gates.map((_, n) =>
    client.guard(n % 2 ? other : session, { tool: "read", input: { n }, callId: `c${n}` }, (input) => input.n),
  );
  await until(() => server.decides.length === 40);
  for (const gate of gates.toReversed()) gate.resolve();
  expect(await Promise.all(calls)).toEqual(gates.map((_, n) => n));
  await client.flush();
  expect(server.streams).toHaveLength(1);
  expect([...(server.streams[0]?.handles.values() ?? [])].toSorted()).toEqual(["token-r1-1", "token-r2-1"]);
  expect(new Set(server.decides.map(({ token, via }) => `${via} ${token}`))).toEqual(
    new Set(["stream token-r1-1", "stream token-r2-1"]),
  );
  expect(server.reports.every(({ via }) => via === "stream")).toBe(true);
});

test("an answer that comes twice counts once", async () => {
  const { server, session, client } = await harness(patient);
  await client.decide(session, { tool: "read", input: {} });
  const [stream] = server.streams;
  if (stream) stream.answerTwice = true;
  let runs = 0;
  for (const n of [1, 2]) {
    await client.guard(session, { tool: "read", input: { n } }, () => {
      runs++;
    });
  }
  await client.flush();
  expect(runs).toBe(2);
  expect(server.reports).toHaveLength(2);
});

test("a stream that is cut takes no call with it: each is asked again with its call id and runs once", async () => {
  const { server, session, client, timers } = await harness(patient);
  server.onDecide = ({ request, via }) => (via === "stream" ? "silence" : allow(request));
  let runs = 0;
  const calls = ["c1", "c2", "c3"].map((callId) =>
    client.guard(session, { tool: "pay", input: {}, callId }, () => {
      runs++;
      return callId;
    }),
  );
  await until(() => server.decides.length === 3);
  server.streams[0]?.cut(status.UNAVAILABLE);
  let answers: string[] | undefined;
  const all = Promise.all(calls).then((given) => {
    answers = given;
  });
  await timers.advanceUntil(() => answers !== undefined);
  await all;
  expect(answers).toEqual(["c1", "c2", "c3"]);
  expect(runs).toBe(3);
  expect(
    server.decides
      .slice(3)
      .map(({ request, via }) => `${via} ${request.callId}`)
      .toSorted(),
  ).toEqual(["unary c1", "unary c2", "unary c3"]);
  await client.flush();
  expect(server.reports.map(({ request }) => request.outcome)).toEqual(Array(3).fill(Outcome.SUCCEEDED));
});

test("after a cut, the next stream comes when its time has come, and calls are unary until then", async () => {
  const { server, session, client, timers, logged } = await harness(patient);
  const ways = () => server.decides.map(({ via, stream }) => `${via} ${stream}`);
  await client.decide(session, { tool: "read", input: {} });
  server.streams[0]?.cut(status.UNAVAILABLE);
  await until(() => logged.some(({ event }) => event === "stream_ended"));
  await client.decide(session, { tool: "read", input: {} });
  expect(ways().at(-1)).toBe("unary -1");
  timers.advance(100);
  await client.decide(session, { tool: "read", input: {} });
  expect(ways().at(-1)).toBe("stream 1");
});

test("a server without streams is asked by unary calls", async () => {
  const { server, session, client, timers } = await harness(patient);
  server.streamStatus = status.UNIMPLEMENTED;
  let done = false;
  const call = client
    .guard(session, { tool: "read", input: {} }, () => "ran")
    .finally(() => {
      done = true;
    });
  await timers.advanceUntil(() => done);
  expect(await call).toBe("ran");
  expect(await client.guard(session, { tool: "read", input: {} }, () => "ran")).toBe("ran");
  await client.flush();
  expect(server.decides.map(({ via, token }) => `${via} ${token}`)).toEqual(["unary token-r1-1", "unary token-r1-1"]);
  expect(server.reports.map(({ via }) => via)).toEqual(["unary", "unary"]);
});

test("bytes that cannot be read end the stream, and its calls are asked again another way", async () => {
  const { server, session, client, timers } = await harness(patient);
  server.onDecide = ({ request, via }) => (via === "stream" ? "silence" : allow(request));
  let effect: string | undefined;
  const call = client.decide(session, { tool: "read", input: {} }).then((decision) => {
    effect = decision.effect;
  });
  await until(() => server.decides.length === 1);
  server.streams[0]?.raw(new Uint8Array([0xff, 0xff, 0xff]));
  await timers.advanceUntil(() => effect !== undefined);
  await call;
  expect(effect).toBe("allow");
});

test("asked to reconnect, the client moves to a new connection and leaves the old stream when it is drained", async () => {
  const { server, session, client } = await harness(patient);
  const gate = deferred<void>();
  server.onDecide = async ({ request, stream }) => {
    if (stream === 0) await gate.promise;
    return allow(request);
  };
  const old = client.guard(session, { tool: "read", input: {}, callId: "old" }, () => "old");
  await until(() => server.decides.length === 1);
  server.streams[0]?.notice({ case: "reconnect", value: {} });
  await until(() => server.streams.length === 2);
  expect(await client.guard(session, { tool: "read", input: {}, callId: "new" }, () => "new")).toBe("new");
  expect(server.decides.map(({ stream }) => stream)).toEqual([0, 1]);
  expect(server.streams[1]?.handles.size).toBe(1);
  expect(server.streams[1]?.peer).not.toBe(server.streams[0]?.peer);
  expect(server.streams[0]?.finished).toBe(false);
  gate.resolve();
  expect(await old).toBe("old");
  await until(() => server.streams[0]?.finished === true);
  await client.flush();
});

test("a stream that is not drained in the time its server gave is cut, and its calls are asked again", async () => {
  const { server, session, client, timers } = await harness(patient);
  server.onDecide = ({ request, stream }) => (stream === 0 ? "silence" : allow(request));
  let effect: string | undefined;
  const call = client.decide(session, { tool: "read", input: {} }).then((decision) => {
    effect = decision.effect;
  });
  await until(() => server.decides.length === 1);
  server.streams[0]?.notice({ case: "reconnect", value: { within: { seconds: 2n } } });
  await until(() => server.streams.length === 2);
  timers.advance(1_999);
  expect(server.decides).toHaveLength(1);
  await timers.advanceUntil(() => effect !== undefined);
  await call;
  expect(effect).toBe("allow");
  expect(server.decides).toHaveLength(2);
});

test("a cancelled call has its signal aborted with the code, wherever the stream has moved to meanwhile", async () => {
  const { server, session, client } = await harness(patient);
  let signal: AbortSignal | undefined;
  const running = client.guard(session, { tool: "slow", input: {}, callId: "c1" }, (_, run) => {
    signal = run.signal;
    return new Promise<string>((_, reject) => run.signal.addEventListener("abort", () => reject(run.signal.reason)));
  });
  const stopped = rejection(running, DeniedError);
  await until(() => signal !== undefined);
  server.streams[0]?.notice({ case: "reconnect", value: {} });
  await until(() => server.streams[1]?.handles.size === 1);
  const handle = server.streams[1]?.handleOf("token-r1-1") ?? 0;
  server.streams[1]?.notice({ case: "callCancel", value: { handle, callId: "c1", code: "session_revoked" } });
  expect(await stopped).toMatchObject({ code: "session_revoked", callId: "c1" });
  await client.flush();
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.UNKNOWN]);
});

test("a session that has ended denies its calls at once, with the reason", async () => {
  const notices: unknown[] = [];
  const { server, session, client } = await harness({ ...patient, onNotice: (notice) => notices.push(notice) });
  await client.decide(session, { tool: "read", input: {} });
  server.streams[0]?.notice({ case: "sessionEnded", value: { handle: 1, code: "session_revoked" } });
  await until(() => session.endedBecause !== undefined);
  const denied = await rejection(
    client.guard(session, { tool: "read", input: {} }, () => 1),
    DeniedError,
  );
  expect(denied).toMatchObject({ code: "session_revoked", local: true, retryable: false });
  expect(server.decides).toHaveLength(1);
  expect(notices).toEqual([{ kind: "session_ended", sessionId: session.id, code: "session_revoked" }]);
});

test("a stream that stays silent while other ways answer is given up", async () => {
  const { server, session, client, timers } = await harness({ deadlineMs: 600_000, hedgeMs: 250 });
  server.onAttach = () => "silence";
  for (const n of [1, 2, 3]) {
    let done = false;
    const call = client.decide(session, { tool: "read", input: {} }).finally(() => {
      done = true;
    });
    await timers.advanceUntil(() => done);
    expect(await call).toMatchObject({ effect: "allow" });
    expect(server.decides).toHaveLength(n);
  }
  // No hedge is needed any more: the call goes the unary way at once.
  expect(await client.decide(session, { tool: "read", input: {} })).toMatchObject({ effect: "allow" });
});

test("a session that ended stops its running calls, on whatever stream they were decided", async () => {
  const { server, session, client } = await harness(patient);
  const signals: AbortSignal[] = [];
  const run = (callId: string) =>
    rejection(
      client.guard(session, { tool: "slow", input: {}, callId }, (_, { signal }) => {
        signals.push(signal);
        return new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      }),
      DeniedError,
    );
  const old = run("c1");
  await until(() => signals.length === 1);
  server.streams[0]?.notice({ case: "reconnect", value: {} });
  await until(() => server.streams[1]?.handles.size === 1);
  const newer = run("c2");
  await until(() => signals.length === 2);
  server.streams[1]?.notice({ case: "sessionEnded", value: { handle: 1, code: "session_revoked" } });
  for (const stopped of [old, newer]) expect(await stopped).toMatchObject({ code: "session_revoked" });
  await client.flush();
  expect(server.reports.map(({ request }) => request.labels)).toEqual([
    ["cancelled:session_revoked"],
    ["cancelled:session_revoked"],
  ]);
});

test("a suspension is not the end of a session: its next call is asked, on the handle that it has", async () => {
  const { server, session, client } = await harness(patient);
  await client.decide(session, { tool: "read", input: {} });
  const notices = server.streams[0];
  notices?.notice({ case: "sessionEnded", value: { handle: 1, code: "agent_suspended" } });
  expect(await client.decide(session, { tool: "read", input: {} })).toMatchObject({ effect: "allow" });
  expect(session.endedBecause).toBeUndefined();
  expect(notices?.handles.size).toBe(1);
});

test("a halt stops what runs in the session, wherever it was decided, and is not the end of it", async () => {
  const { server, session, client } = await harness(patient);
  const started = deferred<void>();
  const running = rejection(
    client.guard(session, { tool: "slow", input: {} }, (_, { signal }) => {
      started.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }),
    DeniedError,
  );
  await started.promise;
  server.streams[0]?.notice({ case: "halted", value: { handle: 1, reason: "halted" } });
  expect(await running).toMatchObject({ code: "halted" });
  expect(await client.decide(session, { tool: "read", input: {} })).toMatchObject({ effect: "allow" });
  expect(session.endedBecause).toBeUndefined();
});

test("that an old token has run out is no news once a newer one is attached", async () => {
  const { server, session, client, timers } = await harness(patient);
  const gate = deferred<void>();
  let started = false;
  const running = client.guard(session, { tool: "slow", input: {} }, () => {
    started = true;
    return gate.promise;
  });
  await until(() => started);
  timers.advance(46 * 60_000);
  await client.decide(session, { tool: "read", input: {} });
  await until(() => server.streams[0]?.handles.size === 2);
  server.streams[0]?.notice({ case: "sessionEnded", value: { handle: 1, code: "token_expired" } });
  await client.decide(session, { tool: "read", input: {} });
  expect(server.renewals).toHaveLength(1);
  // That of the newer one is: what runs wants its notices.
  server.streams[0]?.notice({ case: "sessionEnded", value: { handle: 2, code: "token_expired" } });
  await until(() => server.renewals.length === 2);
  gate.resolve();
  await running;
});
