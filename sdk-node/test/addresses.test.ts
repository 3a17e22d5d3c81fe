import { status } from "@grpc/grpc-js";
import { Outcome } from "@remit/proto/decision";
import { expect, onTestFinished, test } from "vitest";
import { type ClientOptions, DeniedError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { type FakeServer, startFake } from "./support/fake-server.ts";
import { harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

// Long enough that nothing but what a test does by hand moves a call.
const patient = { deadlineMs: 600_000, hedgeMs: 600_000 };

/** Several servers of one Remit, and a client that knows them all. */
async function replicas(count: number, options: ClientOptions = patient) {
  const servers = await Promise.all(Array.from({ length: count }, () => startFake()));
  onTestFinished(() => {
    for (const server of servers) server.stop();
  });
  const made = await harness({ ...options, addresses: servers.map(({ address }) => address) });
  /** Decides, moving time until there is an answer. */
  const decide = async (callId: string) => {
    let done = false;
    const call = made.client.decide(made.session, { tool: "read", input: {}, callId }).finally(() => {
      done = true;
    });
    await made.timers.advanceUntil(() => done);
    return call;
  };
  const carrying = (): FakeServer => {
    const found = servers.find(({ streams }) => streams.some(({ finished }) => !finished));
    if (!found) throw new Error("no server has a stream");
    return found;
  };
  return { ...made, servers, decide, carrying };
}

test("a replica that is gone costs no call: each is asked again of another, with its call id", async () => {
  const { servers, decide, carrying } = await replicas(3);
  await decide("before");
  const gone = carrying();
  gone.stop();
  for (const callId of ["c1", "c2", "c3"]) expect(await decide(callId)).toMatchObject({ effect: "allow", callId });
  const others = servers.filter((server) => server !== gone);
  expect(others.flatMap(({ decides }) => decides.map(({ request }) => request.callId)).toSorted()).toEqual([
    "c1",
    "c2",
    "c3",
  ]);
  // The stream is at another replica by now.
  expect(others.flatMap(({ streams }) => streams)).toHaveLength(1);
});

test("a client starts though only the last of its addresses answers", async () => {
  const { servers, client, decide } = await replicas(3);
  for (const server of servers.slice(0, 2)) server.stop();
  await decide("any");
  await client.ready();
  expect(await decide("c1")).toMatchObject({ effect: "allow" });
  expect(servers[2]?.decides.map(({ request }) => request.callId)).toContain("c1");
});

test.each([
  ["drains", { code: 14, message: "the server is stopping", reason: "draining", retryable: true }],
  ["cannot record", { code: 14, message: "not recorded", reason: "ledger_unavailable", retryable: true }],
])("a replica that %s is passed over, and soon left", async (_, fail) => {
  const { servers, decide, carrying } = await replicas(2);
  await decide("before");
  const ill = carrying();
  const well = servers.find((server) => server !== ill) as FakeServer;
  ill.onDecide = () => ({ fail });
  for (const callId of ["c1", "c2", "c3"]) expect(await decide(callId)).toMatchObject({ effect: "allow" });
  expect(well.decides.map(({ request, via }) => `${via} ${request.callId}`)).toEqual([
    "unary c1",
    "unary c2",
    "unary c3",
  ]);
  await decide("c4");
  expect(well.decides.at(-1)).toMatchObject({ via: "stream", request: { callId: "c4" } });
});

test("a replica that has fallen silent is hedged against at another address, and left after three calls", async () => {
  const { servers, decide, carrying } = await replicas(2, { deadlineMs: 600_000, hedgeMs: 250 });
  await decide("before");
  const silent = carrying();
  const well = servers.find((server) => server !== silent) as FakeServer;
  silent.onDecide = () => "silence";
  for (const callId of ["c1", "c2", "c3", "c4"]) expect(await decide(callId)).toMatchObject({ effect: "allow" });
  expect(silent.decides.map(({ request }) => request.callId)).toEqual(["before", "c1", "c2", "c3"]);
  expect(well.decides.at(-1)).toMatchObject({ via: "stream", request: { callId: "c4" } });
});

test("asked to reconnect, the stream moves to another address; what ran before is reported there", async () => {
  const { servers, session, client, carrying } = await replicas(2);
  const gate = Promise.withResolvers<string>();
  const running = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => gate.promise);
  await until(() => servers.some(({ decides }) => decides.length === 1));
  const old = carrying();
  const other = servers.find((server) => server !== old) as FakeServer;
  old.streams[0]?.notice({ case: "reconnect", value: {} });
  await until(() => old.streams[0]?.finished === true && other.streams[0]?.handles.size === 1);
  gate.resolve("paid");
  expect(await running).toBe("paid");
  await client.flush();
  expect(other.reports.map(({ request, via }) => [via, request.outcome])).toEqual([["stream", Outcome.SUCCEEDED]]);
});

test("a report that one replica cannot take is taken by another", async () => {
  const { servers, session, client, timers, carrying } = await replicas(2);
  const gate = Promise.withResolvers<void>();
  const running = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => gate.promise);
  await until(() => servers.some(({ decides }) => decides.length === 1));
  const gone = carrying();
  const other = servers.find((server) => server !== gone) as FakeServer;
  gone.stop();
  gate.resolve();
  await running;
  await timers.advanceUntil(() => other.reports.length === 1);
  await until(() => client.stats().reportsQueued === 0);
  expect(other.reports[0]?.request.outcome).toBe(Outcome.SUCCEEDED);
});

test("with every replica down the denial names them all; the first that comes back serves", async () => {
  const { servers, session, client, timers, decide } = await replicas(2, { deadlineMs: 1_000, hedgeMs: 250 });
  await decide("before");
  for (const server of servers) server.stop();
  const ask = async (): Promise<DeniedError> => {
    let done = false;
    const call = rejection(
      client.guard(session, { tool: "pay", input: {} }, () => 1),
      DeniedError,
    ).finally(() => {
      done = true;
    });
    await timers.advanceUntil(() => done);
    return call;
  };
  const denied = await ask();
  expect(denied).toMatchObject({ code: "unreachable", local: true, retryable: true });
  for (const { address } of servers) expect(denied.message).toContain(address);
  const revived = await startFake(Number(servers[1]?.address.split(":")[1]));
  onTestFinished(revived.stop);
  let effect = "";
  while (effect !== "allow") ({ effect } = await decide("again"));
  expect(revived.decides.at(-1)).toMatchObject({ request: { callId: "again" } });
});

test("UNAVAILABLE without a word of Remit's own, as a proxy says it, is asked again too", async () => {
  const { servers, decide } = await replicas(2);
  const reset = { code: status.UNAVAILABLE, message: "upstream reset" };
  for (const server of servers) {
    server.streamStatus = status.UNIMPLEMENTED;
    server.onDecide = ({ request, n }) => (n === 0 ? { fail: reset } : allow(request));
  }
  expect(await decide("c1")).toMatchObject({ effect: "allow" });
  const asked = servers.flatMap(({ decides }) => decides.map(({ request }) => request.callId));
  expect(new Set(asked)).toEqual(new Set(["c1"]));
});
