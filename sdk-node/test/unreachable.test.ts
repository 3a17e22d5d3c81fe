import { create } from "@bufbuild/protobuf";
import { Outcome, ReportResponseSchema } from "@remit/proto/decision";
import { expect, onTestFinished, test } from "vitest";
import { createClient, DeniedError, RemitError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { startFake } from "./support/fake-server.ts";
import { harness, rejection } from "./support/harness.ts";
import { manualTimers, until } from "./support/manual-timers.ts";

test("a decision that is silent at 250 ms is asked again with its call id on another connection, and runs once", async () => {
  const { server, session, client, timers } = await harness();
  server.onDecide = ({ request, n }) => (n === 0 ? "silence" : allow(request));
  let runs = 0;
  const call = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => ++runs);
  await until(() => server.decides.length === 1);
  timers.advance(249);
  expect(server.decides).toHaveLength(1);
  timers.advance(1);
  expect(await call).toBe(1);
  const [first, second] = server.decides;
  expect(second?.request.callId).toBe("c1");
  expect(second?.peer).not.toBe(first?.peer);
  await client.flush();
  expect(runs).toBe(1);
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.SUCCEEDED]);
});

test("at the deadline the call is denied here, never runs, and is reported as not executed by its call id", async () => {
  const { server, session, client, timers } = await harness();
  server.onDecide = () => "silence";
  let ran = false;
  const work = () => {
    ran = true;
  };
  const denied = rejection(client.guard(session, { tool: "pay", input: {}, callId: "c1" }, work), DeniedError);
  await until(() => server.decides.length === 1);
  timers.advance(250);
  await until(() => server.decides.length === 2);
  timers.advance(750);
  const error = await denied;
  expect(error).toMatchObject({ code: "unreachable", local: true, retryable: true, decisionId: undefined });
  expect(error.message).toContain(server.address);
  expect(error.message).toContain("remit serve");
  await client.flush();
  expect(ran).toBe(false);
  expect(server.reports.map(({ request }) => request.subject)).toEqual([{ case: "callId", value: "c1" }]);
  expect(server.reports[0]?.request.outcome).toBe(Outcome.NOT_EXECUTED);
});

test("an answer that comes after the deadline starts nothing", async () => {
  const { server, session, client, timers } = await harness();
  const late = Promise.withResolvers<void>();
  server.onDecide = async ({ request }) => {
    await late.promise;
    return allow(request);
  };
  let ran = false;
  const work = () => {
    ran = true;
  };
  const denied = rejection(client.guard(session, { tool: "pay", input: {} }, work), DeniedError);
  await until(() => server.decides.length === 1);
  timers.advance(1_000);
  await denied;
  late.resolve();
  server.onDecide = ({ request }) => allow(request);
  // A later answer on the same stream shows that the late one has come.
  await client.decide(session, { tool: "read", input: {} });
  expect(ran).toBe(false);
});

test("with Remit down a call is denied with the address and the fix, and nothing is queued that it never got", async () => {
  const { server, session, client, timers } = await harness();
  server.stop();
  const ask = async (): Promise<DeniedError> => {
    let settled = false;
    const call = rejection(
      client.guard(session, { tool: "pay", input: {} }, () => 1),
      DeniedError,
    ).finally(() => {
      settled = true;
    });
    await timers.advanceUntil(() => settled);
    return call;
  };
  // The first one may find a connection that is only just dying.
  await ask();
  const queuedBefore = client.stats().reportsQueued;
  const denied = await ask();
  expect(denied).toMatchObject({ code: "unreachable", local: true });
  expect(denied.message).toContain(`at ${server.address}`);
  expect(denied.message).toContain("ECONNREFUSED");
  expect(denied.message).toContain("REMIT_ADDRESS");
  expect(client.stats().reportsQueued).toBe(queuedBefore);
});

test("the client comes back by itself when Remit does", async () => {
  const { server, session, client, timers } = await harness({ deadlineMs: 600_000, hedgeMs: 600_000 });
  await client.decide(session, { tool: "read", input: {} });
  server.stop();
  let effect: string | undefined;
  const call = client.decide(session, { tool: "read", input: {} }).then((decision) => {
    effect = decision.effect;
  });
  const revived = await startFake(Number(server.address.split(":")[1]));
  onTestFinished(revived.stop);
  await timers.advanceUntil(() => effect !== undefined);
  await call;
  expect(effect).toBe("allow");
});

test("an error that may pass is tried again; one that lasts is thrown as Remit said it", async () => {
  const { server, session, client, timers } = await harness();
  const unavailable = { code: 14, message: "not recorded, so not made", reason: "ledger_unavailable", retryable: true };
  server.onDecide = ({ request, n }) => (n < 2 ? { fail: unavailable } : allow(request));
  let settled = false;
  const settle = () => {
    settled = true;
  };
  const passing = client.decide(session, { tool: "read", input: {} }).finally(settle);
  await timers.advanceUntil(() => settled);
  expect(await passing).toMatchObject({ effect: "allow" });

  server.onDecide = () => ({ fail: unavailable });
  settled = false;
  const lasting = rejection(client.decide(session, { tool: "read", input: {} }), RemitError).finally(settle);
  await timers.advanceUntil(() => settled);
  expect(await lasting).toMatchObject({ status: "UNAVAILABLE", reason: "ledger_unavailable", retryable: true });
  expect(client.stats().reportsQueued).toBe(0);
});

test("ready settles when Remit serves and knows the key", async () => {
  const { server, client, timers } = await harness();
  await client.ready();
  server.serving = false;
  let settled = false;
  const waiting = client.ready().finally(() => {
    settled = true;
  });
  timers.advance(0);
  server.serving = true;
  await timers.advanceUntil(() => settled);
  await waiting;
});

test("ready fails at boot: with the address and the fix when nobody is there, at once when the key is wrong", async () => {
  const { server, connect } = await harness();
  const stranger = connect({ key: "rmt_wrong" });
  const refused = await rejection(stranger.ready(), RemitError);
  expect(refused).toMatchObject({ status: "UNAUTHENTICATED", reason: "token_invalid", retryable: false });
  expect(refused.message).toContain("REMIT_API_KEY");
  expect(refused.message).not.toContain("rmt_wrong");

  server.stop();
  const timers = manualTimers();
  const nobody = createClient({ address: server.address, key: "k", timers });
  let settled = false;
  const waiting = rejection(nobody.ready({ timeoutMs: 2_000 }), RemitError).finally(() => {
    settled = true;
  });
  await timers.advanceUntil(() => settled);
  const error = await waiting;
  expect(error).toMatchObject({ reason: "unreachable", status: "UNAVAILABLE" });
  expect(error.message).toContain(`Remit is not ready at ${server.address}`);
  expect(error.message).toContain("remit serve");
  await nobody.close();
});

test("a call whose not_executed report is still under way is not asked again before it was taken", async () => {
  const { server, session, client, timers } = await harness();
  const taken = Promise.withResolvers<void>();
  server.onDecide = () => "silence";
  server.onReport = async ({ request }) => {
    await taken.promise;
    return create(ReportResponseSchema, { outcome: request.outcome });
  };
  const call = { tool: "pay", input: {}, callId: "c1" };
  const first = client.decide(session, call);
  await until(() => server.decides.length === 1);
  timers.advance(1_000);
  expect(await first).toMatchObject({ effect: "deny", local: true, reason: { code: "unreachable" } });
  await until(() => server.reports.length === 1);
  const asked = server.decides.length;
  server.onDecide = ({ request }) => allow(request);
  const again = client.decide(session, call);
  await client.decide(session, { tool: "read", input: {}, callId: "c2" });
  expect(server.decides.slice(asked).map(({ request }) => request.callId)).toEqual(["c2"]);
  taken.resolve();
  expect(await again).toMatchObject({ effect: "allow" });
});

test("an error after which a decision may stand is followed by word that nothing ran; a reused id is not", async () => {
  const { server, session, client } = await harness();
  const reasons = { internal: 13, call_id_reused: 6 } as const;
  for (const [reason, code] of Object.entries(reasons)) {
    server.onDecide = () => ({ fail: { code, message: "no", reason } });
    const asked = client.decide(session, { tool: "pay", input: {}, callId: reason });
    expect(await rejection(asked, RemitError)).toMatchObject({ reason });
  }
  await client.flush();
  expect(server.reports.map(({ request }) => [request.subject.value, request.outcome])).toEqual([
    ["internal", Outcome.NOT_EXECUTED],
  ]);
});
