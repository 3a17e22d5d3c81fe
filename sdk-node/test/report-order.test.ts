import { create } from "@bufbuild/protobuf";
import { Outcome, ReportResponseSchema } from "@remit/proto/decision";
import { expect, onTestFinished, test } from "vitest";
import { allow } from "./support/answers.ts";
import { type FakeServer, startFake } from "./support/fake-server.ts";
import { type Harness, harness } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

const call = { tool: "pay", input: {}, callId: "c1" };
const told = (server: FakeServer) =>
  server.reports.map(({ request }) => [request.subject.case, request.subject.value, request.outcome]);

/** Asks about the call and has no answer within the deadline, though the server has seen it. */
async function timeOut({ server, session, client, timers }: Harness): Promise<void> {
  server.onDecide = () => "silence";
  const asked = server.decides.length;
  const first = client.decide(session, call);
  await until(() => server.decides.length === asked + 1);
  timers.advance(1_000);
  expect(await first).toMatchObject({ effect: "deny", reason: { code: "unreachable" } });
}

/** Guards the call, moving time until it is over. */
async function ask({ session, client, timers }: Harness): Promise<unknown> {
  let over = false;
  const asked = client
    .guard(session, call, () => "ran")
    .catch((error: unknown) => error)
    .finally(() => {
      over = true;
    });
  await timers.advanceUntil(() => over);
  return asked;
}

test("word that nothing ran, which never left, is taken back when its call is asked again", async () => {
  const made = await harness();
  const { server, client, timers } = made;
  server.onDecide = () => "silence";
  const first = client.decide(made.session, call);
  await until(() => server.decides.length === 1);
  server.stop();
  let over = false;
  void first.finally(() => {
    over = true;
  });
  await timers.advanceUntil(() => over);
  expect(await first).toMatchObject({ effect: "deny", reason: { code: "unreachable" } });
  expect(client.stats().reportsQueued).toBe(1);
  const revived = await startFake(Number(server.address.split(":")[1]));
  onTestFinished(revived.stop);
  // It rests now, since nobody took it, and no copy of it has left.
  expect(await ask(made)).toBe("ran");
  await timers.advanceUntil(() => client.stats().reportsQueued === 0);
  expect(told(revived)).toEqual([["decisionId", "decision-of-c1", Outcome.SUCCEEDED]]);
});

test("what was taken back is owed again when the next try has no answer either", async () => {
  const made = await harness();
  const { server, client, timers } = made;
  server.onDecide = () => "silence";
  const first = client.decide(made.session, call);
  await until(() => server.decides.length === 1);
  server.stop();
  for (const asked of [first, undefined]) {
    let over = false;
    const denied = (asked ?? client.decide(made.session, call)).finally(() => {
      over = true;
    });
    await timers.advanceUntil(() => over);
    expect(await denied).toMatchObject({ effect: "deny", reason: { code: "unreachable" } });
    expect(client.stats().reportsQueued).toBe(1);
  }
  const revived = await startFake(Number(server.address.split(":")[1]));
  onTestFinished(revived.stop);
  await timers.advanceUntil(() => revived.reports.length === 1);
  expect(told(revived)).toEqual([["callId", "c1", Outcome.NOT_EXECUTED]]);
});

test("word that nothing ran, of which a copy may still be on its way, keeps a later attempt from running", async () => {
  const made = await harness();
  const { server, client, timers } = made;
  server.onReport = ({ request, n }) =>
    n === 0 ? "silence" : create(ReportResponseSchema, { outcome: request.outcome });
  await timeOut(made);
  await until(() => server.reports.length === 1);
  // The first copy is given up here, though it may arrive at any time; the second is taken.
  await timers.advanceUntil(() => server.reports.length === 2);
  await until(() => client.stats().reportsQueued === 0);
  server.onDecide = ({ request }) => allow(request, { attempt: 2 });
  expect(await ask(made)).toMatchObject({ name: "DeniedError", code: "decision_expired", local: true });
  await client.flush();
  expect(told(server).slice(2)).toEqual([["decisionId", "decision-of-c1", Outcome.NOT_EXECUTED]]);
  const other = client.guard(made.session, { ...call, callId: "c2" }, () => "another id runs");
  expect(await other).toBe("another id runs");
});

test("a call is not asked again while word of its last try cannot be told", async () => {
  const made = await harness();
  const { server } = made;
  server.onReport = () => "silence";
  await timeOut(made);
  await until(() => server.reports.length === 1);
  const asked = server.decides.length;
  server.onDecide = ({ request }) => allow(request);
  expect(await ask(made)).toMatchObject({ name: "DeniedError", code: "unreachable", local: true, retryable: true });
  expect(server.decides).toHaveLength(asked);
});
