import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Effect } from "@remit/proto/common";
import { Approval_State } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { PausedError, RemitError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { harness, rejection } from "./support/harness.ts";

test("an escalated call is a pause that survives JSON, holds no token, and asks the same call again", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request, n }) =>
    n > 0
      ? allow(request, { attempt: 2 })
      : allow(request, {
          effect: Effect.ESCALATE,
          reason: {
            $typeName: "remit.v1.Reason",
            code: "approval_required",
            message: "A person must agree.",
            retryable: false,
            detail: "",
            remedy: "",
          },
          approval: {
            $typeName: "remit.v1.Approval",
            id: "a1",
            state: Approval_State.PENDING,
            summary: "Pay 900 EUR",
            url: "http://x/a1",
            requirements: [],
            expiresAt: timestampFromMs(0),
          },
        });
  const transfer = client.tool("pay", (input: { amount: number }) => input.amount);
  const paused = await rejection(transfer(session, { amount: 900 }, { callId: "c1", context: { a: 1 } }), PausedError);
  const stored = JSON.stringify(paused);
  expect(stored).not.toContain("token");
  expect(JSON.parse(stored)).toEqual({
    v: 1,
    effect: "escalate",
    sessionId: session.id,
    callId: "c1",
    tool: "pay",
    input: { amount: 900 },
    context: { a: 1 },
    decisionId: "decision-of-c1",
    attempt: 1,
    reason: { code: "approval_required", message: "A person must agree." },
    approval: {
      id: "a1",
      state: "pending",
      expiresAt: "1970-01-01T00:00:00.000Z",
      summary: "Pay 900 EUR",
      url: "http://x/a1",
    },
    questions: [],
  });
  expect(await transfer.resume(session, JSON.parse(stored))).toBe(900);
  const [first, again] = server.decides;
  expect(again?.request).toMatchObject({ callId: "c1", input: first?.request.input, context: first?.request.context });
});

test("a call to be clarified is resumed with its answers", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) =>
    request.answers.case
      ? allow(request)
      : allow(request, {
          effect: Effect.CLARIFY,
          questions: [{ $typeName: "remit.v1.Question", id: "why", type: "string", ask: "What is it for?" }],
        });
  const decision = await client.decide(session, { tool: "pay", input: {}, callId: "c1" });
  if (decision.effect !== "clarify") throw new Error(`expected clarify, got ${decision.effect}`);
  expect(decision.paused.questions).toEqual([{ id: "why", type: "string", ask: "What is it for?" }]);
  expect(await client.resume(session, decision.paused, { answers: { why: "rent" } })).toMatchObject({
    effect: "allow",
  });
  expect(new TextDecoder().decode(server.decides[1]?.request.answers.value as Uint8Array)).toBe('{"why":"rent"}');
});

test("a paused call is refused in another session, with another tool, or when it is something else", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) => allow(request, { effect: Effect.ESCALATE });
  const decision = await client.decide(session, { tool: "pay", input: {} });
  if (decision.effect !== "escalate") throw new Error(`expected escalate, got ${decision.effect}`);
  const other = await client.openSession({ agent: "support", runId: "r2" });
  expect(await rejection(client.resume(other, decision.paused), RemitError)).toMatchObject({ field: "paused" });
  const refund = client.tool("refund", () => 1);
  expect(await rejection(refund.resume(session, decision.paused), RemitError)).toMatchObject({ field: "paused" });
  expect(await rejection(client.resume(session, {} as never), RemitError)).toMatchObject({ field: "paused" });
  expect(server.decides).toHaveLength(1);
});
