import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { Outcome, ReportResponseSchema } from "@remit/proto/decision";
import { expect, onTestFinished, test } from "vitest";
import { DeniedError, RemitError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { startFake } from "./support/fake-server.ts";
import { deferred, harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

test("a report outlives the server that should have taken it", async () => {
  const { server, session, client, timers, logged } = await harness();
  const gate = deferred<void>();
  const call = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, async () => {
    await gate.promise;
    return "paid";
  });
  await until(() => server.decides.length === 1);
  server.stop();
  gate.resolve();
  expect(await call).toBe("paid");
  await until(() => logged.some(({ event }) => event === "reports_wait"));
  expect(client.stats().reportsQueued).toBe(1);
  const revived = await startFake(Number(server.address.split(":")[1]));
  onTestFinished(revived.stop);
  await timers.advanceUntil(() => revived.reports.length === 1);
  expect(revived.reports[0]).toMatchObject({ token: "token-r1-1", request: { outcome: Outcome.SUCCEEDED } });
  await until(() => client.stats().reportsQueued === 0);
});

test("hours without a server and two restarts lose no report of many", async () => {
  const { server, session, client, timers } = await harness();
  const gate = deferred<void>();
  const ids = Array.from({ length: 200 }, (_, n) => `c${n}`);
  const calls = ids.map((callId) => client.guard(session, { tool: "pay", input: {}, callId }, () => gate.promise));
  await until(() => server.decides.length === ids.length);
  server.stop();
  gate.resolve();
  await Promise.all(calls);
  timers.advance(3 * 3_600_000);
  const port = Number(server.address.split(":")[1]);
  const unable = { code: status.UNAVAILABLE, message: "not yet", reason: "ledger_unavailable", retryable: true };
  const second = await startFake(port);
  second.onReport = ({ request, n }) =>
    n < 20 ? { fail: unable } : create(ReportResponseSchema, { outcome: request.outcome });
  await timers.advanceUntil(() => second.reports.length >= 20);
  second.stop();
  const third = await startFake(port);
  onTestFinished(third.stop);
  await timers.advanceUntil(() => client.stats().reportsQueued === 0);
  const taken = [...second.reports.slice(20), ...third.reports].map(({ request }) => request.subject.value);
  // At least once: an answer that was cut off is asked for again.
  expect(new Set(taken)).toEqual(new Set(ids.map((id) => `decision-of-${id}`)));
  expect(client.stats()).toMatchObject({ reportsRefused: 0, reportsLost: 0 });
});

test("what only a proxy has said is no answer: the report is kept", async () => {
  const { server, session, client, timers } = await harness();
  server.streamStatus = status.UNIMPLEMENTED;
  server.onReport = ({ request, n }) =>
    n < 3
      ? { fail: { code: status.PERMISSION_DENIED, message: "RBAC: access denied" } }
      : create(ReportResponseSchema, { outcome: request.outcome });
  const reported = client.report(session, { decisionId: "d1", outcome: "succeeded" });
  await timers.advanceUntil(() => server.reports.length === 4);
  expect(await reported).toMatchObject({ outcome: "succeeded" });
  expect(client.stats().reportsRefused).toBe(0);
});

test("a report whose token is older than a day is told with a new one, while the session lives", async () => {
  const { server, session, client } = await harness();
  const expired = { code: status.UNAUTHENTICATED, message: "the token has expired", reason: "token_expired" };
  server.onReport = ({ request, token }) =>
    token === "token-r1-1" ? { fail: expired } : create(ReportResponseSchema, { outcome: request.outcome });
  expect(await client.report(session, { decisionId: "d1", outcome: "succeeded" })).toMatchObject({
    outcome: "succeeded",
  });
  expect(server.renewals).toEqual([session.id]);

  server.onReport = () => ({ fail: expired });
  server.onRenew = () => ({ fail: { code: 9, message: "it has ended", reason: "session_closed" } });
  expect(await rejection(client.report(session, { decisionId: "d2", outcome: "succeeded" }), RemitError)).toMatchObject(
    { reason: "session_closed" },
  );
  expect(client.stats().reportsRefused).toBe(1);
});

test("a report that Remit refuses is logged and counted, and does not hold up the others", async () => {
  const { server, session, client, logged } = await harness();
  server.onReport = ({ request }) =>
    request.subject.value === "decision-of-c1"
      ? { fail: { code: status.NOT_FOUND, message: "no such decision", reason: "decision_unknown" } }
      : create(ReportResponseSchema, { outcome: request.outcome });
  for (const callId of ["c1", "c2"]) await client.guard(session, { tool: "pay", input: {}, callId }, () => 1);
  expect(await client.flush()).toBe(true);
  expect(client.stats()).toMatchObject({ reportsQueued: 0, reportsRefused: 1, reportsLost: 0 });
  expect(logged.find(({ event }) => event === "report_refused")).toMatchObject({ level: "error", callId: "c1" });
});

test("with its queue of reports full, a client lets no new call in rather than drop a report", async () => {
  const { server, session, client, timers } = await harness({ reportsMax: 2 });
  const gate = deferred<void>();
  server.onReport = async ({ request }) => {
    await gate.promise;
    return create(ReportResponseSchema, { outcome: request.outcome });
  };
  for (const callId of ["c1", "c2"]) await client.guard(session, { tool: "pay", input: {}, callId }, () => 1);
  const denied = rejection(
    client.guard(session, { tool: "pay", input: {} }, () => 1),
    DeniedError,
  );
  timers.advance(1_000);
  expect(await denied).toMatchObject({ code: "reports_full", local: true, retryable: true });
  expect(server.decides).toHaveLength(2);
  const refused = client.report(session, { decisionId: "decision-of-c1", outcome: "running" });
  expect(await rejection(refused, RemitError)).toMatchObject({ reason: "reports_full" });
  gate.resolve();
  await client.flush();
  expect(await client.guard(session, { tool: "pay", input: {} }, () => "ran")).toBe("ran");
});

test("running calls count towards the bound; one that waits is let in when there is room again", async () => {
  const { server, session, client } = await harness({ reportsMax: 1 });
  const gate = deferred<void>();
  const running = client.guard(session, { tool: "pay", input: {} }, () => gate.promise);
  const next = client.guard(session, { tool: "pay", input: {} }, () => "let in");
  await until(() => server.decides.length === 1);
  gate.resolve();
  await running;
  expect(await next).toBe("let in");
  expect(server.reports.length).toBeGreaterThan(0);
});

test("the bound in bytes holds too", async () => {
  const { server, session, client, timers } = await harness({ reportBytesMax: 1 });
  server.onReport = () => "silence";
  await client.guard(session, { tool: "pay", input: {} }, () => 1);
  const denied = rejection(
    client.guard(session, { tool: "pay", input: {} }, () => 1),
    DeniedError,
  );
  timers.advance(1_000);
  expect(await denied).toMatchObject({ code: "reports_full" });
});

test("closing waits for reports, and what it must leave behind it names", async () => {
  const { server, session, client, connect, timers, logged } = await harness();
  await client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => 1);
  await client.close();
  expect(server.reports).toHaveLength(1);
  expect(
    await rejection(
      client.guard(session, { tool: "pay", input: {} }, () => 1),
      DeniedError,
    ),
  ).toMatchObject({
    code: "client_closed",
  });

  server.onReport = () => "silence";
  const other = connect();
  const own = await other.openSession({ agent: "support", runId: "r2" });
  const told = rejection(other.report(own, { callId: "c9", outcome: "not_executed" }), RemitError);
  await until(() => server.reports.length === 2);
  const closing = other.close({ timeoutMs: 100 });
  timers.advance(100);
  await closing;
  expect(await told).toMatchObject({ reason: "client_closed" });
  expect(other.stats().reportsLost).toBe(1);
  expect(logged.find(({ event }) => event === "reports_lost")).toMatchObject({
    level: "error",
    lost: 1,
    calls: ["c9"],
  });
});

test("a call that outlives its client is counted and named too", async () => {
  const { server, session, client, timers, logged } = await harness();
  const gate = deferred<void>();
  let started = false;
  const running = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => {
    started = true;
    return gate.promise;
  });
  await until(() => started);
  server.onDecide = () => "silence";
  const asking = rejection(client.decide(session, { tool: "pay", input: {}, callId: "c2" }), RemitError);
  await until(() => server.decides.length === 2);
  const closing = client.close({ timeoutMs: 100 });
  timers.advance(100);
  await closing;
  expect(client.stats()).toMatchObject({ callsUnderWay: 2, reportsLost: 0 });
  await timers.advanceUntil(() => client.stats().callsUnderWay === 1);
  expect(await asking).toMatchObject({ reason: "client_closed" });
  gate.resolve();
  await running;
  expect(client.stats()).toMatchObject({ callsUnderWay: 0, reportsLost: 2 });
  const lost = logged.filter(({ event }) => event === "reports_lost").map(({ calls }) => calls);
  expect(lost).toEqual([["c2"], ["c1"]]);
});

test("a report by hand is answered with what stands", async () => {
  const { server, session, client } = await harness();
  const decision = await client.decide(session, { tool: "pay", input: { a: 1 } });
  if (decision.effect !== "allow") throw new Error(`expected allow, got ${decision.effect}`);
  server.onReport = ({ request }) =>
    create(ReportResponseSchema, {
      decisionId: request.subject.value ?? "",
      replayed: true,
      outcome: Outcome.FAILED,
      inputMatches: true,
    });
  const result = await client.report(session, {
    decisionId: decision.decisionId,
    outcome: "succeeded",
    actual: [{ unit: "EUR", value: "0" }],
    inputDigest: decision.effectiveInputDigest,
    durationMs: 12,
  });
  expect(result).toMatchObject({
    decisionId: decision.decisionId,
    replayed: true,
    outcome: "failed",
    inputMatches: true,
  });
  expect(server.reports[0]?.request.actual).toMatchObject([{ unit: "EUR", value: "0" }]);
  expect(await rejection(client.report(session, { outcome: "failed" }), RemitError)).toMatchObject({
    field: "decisionId",
  });
});

test("a tool that runs for long says so before its report is due, and no longer than it runs", async () => {
  const { server, session, client, timers } = await harness();
  const at = timers.wallMs();
  server.onDecide = ({ request }) =>
    allow(request, { evaluatedAt: timestampFromMs(at), reportBy: timestampFromMs(at + 60_000) });
  const gate = deferred<void>();
  const call = client.guard(session, { tool: "slow", input: {}, callId: "c1" }, () => gate.promise);
  await until(() => client.stats().callsUnderWay === 1 && server.decides.length === 1);
  await timers.advanceUntil(() => server.reports.length === 2);
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.RUNNING, Outcome.RUNNING]);
  gate.resolve();
  await call;
  await client.flush();
  timers.advance(600_000);
  // Whatever had been sent since has arrived when this is answered.
  await client.decide(session, { tool: "read", input: {} });
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([
    Outcome.RUNNING,
    Outcome.RUNNING,
    Outcome.SUCCEEDED,
  ]);
});
