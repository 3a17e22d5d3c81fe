import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Effect, Mode } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { canonical } from "../../services/pdp/src/foundation/canonical.ts";
import { digest } from "../../services/pdp/src/foundation/digest.ts";
import { DeniedError, NothingSpent, RemitError, type ToolRun } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { deferred, harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

const paid = { ok: true };

test("an allowed call runs once, with a copy of its input, and reports what ran and what it cost", async () => {
  const { server, session, client } = await harness();
  const given = { to: "bob", amount: 5 };
  let got: { input: unknown; run: ToolRun } | undefined;
  const transfer = client.tool("payments.transfer", (input: typeof given, run) => {
    got = { input, run };
    run.cost({ unit: "EUR", value: "4.50" });
    run.cost({ unit: "EUR", value: "0.25" });
    return paid;
  });
  expect(
    await transfer(session, given, { callId: "c1", context: { ip: "::1" }, estimate: [{ unit: "EUR", value: "5" }] }),
  ).toBe(paid);
  expect(got?.input).toEqual(given);
  expect(got?.input).not.toBe(given);
  expect(got?.run.idempotencyKey).toBe("decision-of-c1");
  expect(got?.run.decision.rules).toEqual([{ policy: "payments", version: 3, rule: "small-transfers" }]);

  await client.flush();
  const [asked] = server.decides;
  expect(asked?.request).toMatchObject({
    callId: "c1",
    tool: "payments.transfer",
    estimate: [{ unit: "EUR", value: "5" }],
  });
  expect(new TextDecoder().decode(asked?.request.input.value as Uint8Array)).toBe('{"amount":5,"to":"bob"}');
  expect(new TextDecoder().decode(asked?.request.context.value as Uint8Array)).toBe('{"ip":"::1"}');
  expect(server.reports).toHaveLength(1);
  expect(server.reports[0]?.request).toMatchObject({
    subject: { case: "decisionId", value: "decision-of-c1" },
    outcome: Outcome.SUCCEEDED,
    actual: [{ unit: "EUR", value: "4.75" }],
    inputDigest: digest("input", '{"amount":5,"to":"bob"}'),
    outputDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  expect(server.reports[0]?.request.startedAt).toBeDefined();
});

test("a transformed call runs the transformed input and reports its digest", async () => {
  const { server, session, client } = await harness();
  const json = '{"amount":1,"to":"bob"}';
  server.onDecide = ({ request }) =>
    allow(request, {
      effect: Effect.TRANSFORM,
      transformed: { case: "transformedJson", value: new TextEncoder().encode(json) },
      effectiveInputDigest: digest("input", json),
    });
  const seen = await client.guard(
    session,
    { tool: "payments.transfer", input: { to: "bob", amount: 9 } },
    (input) => input,
  );
  expect(seen).toEqual({ to: "bob", amount: 1 });
  await client.flush();
  expect(server.reports[0]?.request.inputDigest).toBe(digest("input", json));
});

test("what the caller changes after asking does not change what runs", async () => {
  const { server, session, client } = await harness();
  const input = { amount: 1 };
  server.onDecide = ({ request }) => {
    input.amount = 1_000_000;
    return allow(request);
  };
  expect(await client.guard(session, { tool: "pay", input }, (received) => received)).toEqual({ amount: 1 });
});

test("a denial is an error with the model's message, the code, the rules and the decision id; the tool does not run", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) =>
    allow(request, {
      effect: Effect.DENY,
      reason: {
        $typeName: "remit.v1.Reason",
        code: "rate_limited",
        message: "Too many transfers. Wait a minute.",
        retryable: true,
        retryAfter: durationFromMs(60_000),
        detail: "",
        remedy: "ask for less",
      },
    });
  let ran = false;
  const work = () => {
    ran = true;
  };
  const denied = await rejection(client.guard(session, { tool: "pay", input: {}, callId: "c1" }, work), DeniedError);
  expect(denied).toMatchObject({
    message: "Too many transfers. Wait a minute.",
    code: "rate_limited",
    retryable: true,
    retryAfterMs: 60_000,
    decisionId: "decision-of-c1",
    local: false,
    remedy: "ask for less",
    rules: [{ policy: "payments", version: 3, rule: "small-transfers" }],
  });
  expect(ran).toBe(false);
  expect(server.reports).toEqual([]);
});

test("an observed call runs, and says what enforcement would have answered", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) =>
    allow(request, {
      mode: Mode.OBSERVED,
      would: { $typeName: "remit.v1.Would", effect: Effect.DENY, rules: [] },
    });
  const would = await client.guard(session, { tool: "pay", input: {} }, (_, run) => run.decision.would?.effect);
  expect(would).toBe("deny");
});

test("what a tool throws is thrown on unchanged and reported as unknown, or failed when nothing was spent", async () => {
  const { server, session, client } = await harness();
  const broken = new TypeError("the bank hung up");
  const untouched = new NothingSpent("the card was refused");
  for (const error of [broken, untouched]) {
    const thrown = await client
      .guard(session, { tool: "pay", input: {} }, () => {
        throw error;
      })
      .catch((caught: unknown) => caught);
    expect(thrown).toBe(error);
  }
  await client.flush();
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.UNKNOWN, Outcome.FAILED]);
});

test("an error that Remit answers is thrown with its reason, and nothing is reported", async () => {
  const { server, session, client } = await harness();
  server.onDecide = () => ({ fail: { code: 6, message: "that id is taken", reason: "call_id_reused" } });
  const error = await rejection(
    client.guard(session, { tool: "pay", input: {} }, () => 1),
    RemitError,
  );
  expect(error).toMatchObject({
    status: "ALREADY_EXISTS",
    reason: "call_id_reused",
    message: "that id is taken",
    retryable: false,
  });
  await client.flush();
  expect(server.reports).toEqual([]);
});

test("what is not plain JSON is refused before anything is asked", async () => {
  const { server, session, client } = await harness();
  for (const input of [{ at: new Date(0) }, { big: 2 ** 60 }, { f: () => 1 }, [], "text"]) {
    expect(await rejection(client.decide(session, { tool: "pay", input: input as object }), RemitError)).toMatchObject({
      status: "INVALID_ARGUMENT",
    });
  }
  expect(server.decides).toEqual([]);
});

test("a permission that comes too late is not used", async () => {
  const { server, session, client, timers } = await harness({ deadlineMs: 60_000, hedgeMs: 60_000 });
  const gate = deferred<void>();
  const startMs = timers.wallMs();
  server.onDecide = async ({ request }) => {
    await gate.promise;
    return allow(request, { evaluatedAt: timestampFromMs(startMs), executeBefore: timestampFromMs(startMs + 5_000) });
  };
  const late = rejection(
    client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => 1),
    DeniedError,
  );
  await until(() => server.decides.length === 1);
  timers.advance(5_000);
  gate.resolve();
  expect(await late).toMatchObject({ code: "decision_expired", local: true });
  await client.flush();
  expect(server.reports[0]?.request.outcome).toBe(Outcome.NOT_EXECUTED);
});

test("a caller that gives up while Remit decides keeps the tool from running, and says so", async () => {
  const { server, session, client } = await harness();
  server.onDecide = () => "silence";
  const abort = new AbortController();
  let ran = false;
  const call = { tool: "pay", input: {}, callId: "c1", signal: abort.signal };
  const given = client.guard(session, call, () => {
    ran = true;
  });
  await until(() => server.decides.length === 1);
  abort.abort(new Error("the user left"));
  expect(await rejection(given, Error)).toMatchObject({ message: "the user left" });
  await client.flush();
  expect(ran).toBe(false);
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.NOT_EXECUTED]);
});

test("a tool tells Remit which input schema it goes by, resumed calls too", async () => {
  const { server, session, client } = await harness();
  const inputSchema = { type: "object", properties: { to: { type: "string" } }, additionalProperties: false };
  const schemaDigest = digest("schema", canonical(inputSchema));
  const bySchema = client.tool("mail.send", () => paid, { inputSchema });
  const byDigest = client.tool("mail.send", () => paid, { schemaDigest });
  const silent = client.tool("mail.send", () => paid);
  await bySchema(session, {});
  await byDigest(session, {});
  await byDigest(session, {}, { schemaDigest: digest("schema", "{}") });
  await silent(session, {});
  expect(server.decides.map(({ request }) => request.toolSchemaDigest)).toEqual([
    schemaDigest,
    schemaDigest,
    digest("schema", "{}"),
    "",
  ]);
  expect(() => client.tool("mail.send", () => paid, { inputSchema, schemaDigest })).toThrow("not both");
  expect(() => client.tool("mail.send", () => paid, { inputSchema: new Date() })).toThrow(RemitError);
});
