import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Effect, type Mode } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { ConstraintError, DeniedError } from "../src/index.ts";
import { allow } from "./support/answers.ts";
import { harness, rejection } from "./support/harness.ts";
import { until } from "./support/manual-timers.ts";

const unacceptable = {
  "an effect that this SDK does not know": [{ effect: 77 as Effect }, "effect_unknown"],
  "no effect": [{ effect: Effect.UNSPECIFIED }, "effect_unknown"],
  "a mode that this SDK does not know": [{ mode: 9 as Mode }, "answer_invalid"],
  "no decision id": [{ decisionId: "" }, "answer_invalid"],
  "the digest of another input": [{ inputDigest: `sha256:${"0".repeat(64)}` }, "answer_invalid"],
  "an effective digest that is not the input's": [{ effectiveInputDigest: "sha256:00" }, "answer_invalid"],
  "a transform without an input": [{ effect: Effect.TRANSFORM }, "answer_invalid"],
  "another tool": [{ transformedTool: "payments.refund" }, "answer_invalid"],
  "an allow with another input": [
    { transformed: { case: "transformedJson", value: new TextEncoder().encode("{}") } },
    "answer_invalid",
  ],
  "a transformed input that is not JSON": [
    { effect: Effect.TRANSFORM, transformed: { case: "transformedJson", value: new Uint8Array([0xff]) } },
    "answer_invalid",
  ],
  "an unknown constraint": [
    {
      constraints: [{ $typeName: "remit.v1.Constraint", name: "onlyOnSundays", value: { case: "flag", value: true } }],
    },
    "constraint_unsupported",
  ],
  "a constraint that the tool must honour and does not": [
    { constraints: [{ $typeName: "remit.v1.Constraint", name: "redactOutput", value: { case: "flag", value: true } }] },
    "constraint_unsupported",
  ],
  "a timeout without a duration": [
    { constraints: [{ $typeName: "remit.v1.Constraint", name: "timeout", value: { case: "text", value: "soon" } }] },
    "constraint_unsupported",
  ],
} as const;

for (const [what, [more, code]] of Object.entries(unacceptable)) {
  test(`an answer with ${what} is a local denial, and the call is reported as not executed`, async () => {
    const { server, session, client } = await harness();
    server.onDecide = ({ request }) => allow(request, more as never);
    let ran = false;
    const work = () => {
      ran = true;
    };
    const denied = await rejection(
      client.guard(session, { tool: "pay", input: { a: 1 }, callId: "c1" }, work),
      DeniedError,
    );
    expect(denied).toMatchObject({ code, local: true });
    expect(ran).toBe(false);
    await client.flush();
    // Whose decision an answer is that does not hold together, nobody knows.
    const subject = code === "constraint_unsupported" ? "decision-of-c1" : "c1";
    expect(server.reports.map(({ request }) => [request.subject.value, request.outcome])).toEqual([
      [subject, Outcome.NOT_EXECUTED],
    ]);
  });
}

test("a constraint that the tool says it honours is handed to it", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) =>
    allow(request, {
      constraints: [
        {
          $typeName: "remit.v1.Constraint",
          name: "redactOutput",
          value: { case: "strings", value: { $typeName: "remit.v1.StringSet", values: ["iban"] } },
        },
      ],
    });
  const read = client.tool("bank.read", (_: object, { constraints }) => constraints, {
    supportedConstraints: ["redactOutput"],
  });
  expect(await read(session, {})).toEqual([{ name: "redactOutput", value: { strings: ["iban"] } }]);
  expect(server.decides[0]?.request.supportedConstraints).toEqual([
    "timeout",
    "maxOutputBytes",
    "requireIdempotencyKey",
    "redactOutput",
  ]);
});

test("a timeout aborts the tool's signal, rejects, and is reported as unknown", async () => {
  const { server, session, client, timers } = await harness();
  server.onDecide = ({ request }) =>
    allow(request, {
      constraints: [
        { $typeName: "remit.v1.Constraint", name: "timeout", value: { case: "duration", value: durationFromMs(300) } },
      ],
    });
  let signal: AbortSignal | undefined;
  const running = client.guard(session, { tool: "slow", input: {} }, (_, run) => {
    signal = run.signal;
    return new Promise<void>(() => {});
  });
  const failed = rejection(running, ConstraintError);
  await until(() => signal !== undefined);
  timers.advance(299);
  expect(signal?.aborted).toBe(false);
  timers.advance(1);
  expect(await failed).toMatchObject({ constraint: "timeout", limit: 300 });
  expect(signal?.aborted).toBe(true);
  await client.flush();
  expect(server.reports[0]?.request.outcome).toBe(Outcome.UNKNOWN);
});

test("an output that is larger than allowed is withheld, and the call is reported as the success that it was", async () => {
  const { server, session, client } = await harness();
  server.onDecide = ({ request }) =>
    allow(request, {
      constraints: [
        { $typeName: "remit.v1.Constraint", name: "maxOutputBytes", value: { case: "integer", value: 5n } },
      ],
    });
  expect(await client.guard(session, { tool: "read", input: {} }, () => "12345")).toBe("12345");
  const error = await rejection(
    client.guard(session, { tool: "read", input: {} }, () => "123456"),
    ConstraintError,
  );
  expect(error).toMatchObject({ constraint: "maxOutputBytes", limit: 5 });
  await rejection(
    client.guard(session, { tool: "read", input: {} }, () => new Map()),
    ConstraintError,
  );
  await client.flush();
  expect(server.reports.map(({ request }) => request.outcome)).toEqual([
    Outcome.SUCCEEDED,
    Outcome.SUCCEEDED,
    Outcome.SUCCEEDED,
  ]);
});
