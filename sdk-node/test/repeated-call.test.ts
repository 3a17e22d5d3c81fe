import { create } from "@bufbuild/protobuf";
import { Effect } from "@remit/proto/common";
import { Outcome, ReportResponseSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { DeniedError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { deferred, harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

test("the same call id cannot be under way twice in a process", async () => {
  const { session, client } = await harness();
  const gate = deferred<string>();
  const first = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => gate.promise);
  const second = await rejection(
    client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => "twice"),
    DeniedError,
  );
  expect(second).toMatchObject({ code: "call_in_progress", local: true });
  gate.resolve("once");
  expect(await first).toBe("once");
});

test("a decision that already runs here does not run again under another call id", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) => allow(request, { decisionId: "one-business-key" });
  const gate = deferred<string>();
  const first = client.guard(session, { tool: "pay", input: {}, callId: "c1" }, () => gate.promise);
  const second = await rejection(
    client.guard(session, { tool: "pay", input: {}, callId: "c2" }, () => "twice"),
    DeniedError,
  );
  expect(second).toMatchObject({ code: "already_executed", decisionId: "one-business-key" });
  gate.resolve("once");
  expect(await first).toBe("once");
  await client.flush();
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([Outcome.SUCCEEDED]);
});

test("a call that is asked again waits until the report of its first run was taken", async () => {
  const { server, session, client } = await harness();
  const taken = deferred<void>();
  server.onReport = async ({ request }) => {
    await taken.promise;
    return create(ReportResponseSchema, { outcome: request.outcome, inputMatches: true });
  };
  const call = { tool: "pay", input: {}, callId: "c1" };
  await client.guard(session, call, () => 1);
  await until(() => server.reports.length === 1);
  server.onDecide = ({ request }) =>
    allow(request, {
      effect: Effect.DENY,
      reason: {
        $typeName: "remit.v1.Reason",
        code: "already_executed",
        message: "It was made.",
        retryable: false,
        detail: "",
        remedy: "",
      },
    });
  const again = rejection(
    client.guard(session, call, () => 2),
    DeniedError,
  );
  expect(server.decides).toHaveLength(1);
  taken.resolve();
  expect(await again).toMatchObject({ code: "already_executed", local: false });
});
