import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { DecideResponseSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import type { Decision } from "../../decisions/index.ts";
import { decisionToWire } from "./answer.ts";

const digest = `sha256:${"8f".repeat(32)}`;
const rule = { policy: "house", rule: "small", version: 3 };
const reason = { code: "rule_allowed", message: "Allowed.", retryable: true, retry_after_ms: 1_500 } as const;

const body: Decision["body"] = {
  ...{ id: "019a0000-0000-7000-8000-000000000000", attempt: 2, effect: "allow", mode: "observed" },
  ...{ policy_digest: digest, input_digest: digest, effective_input_digest: digest, trace_id: "0af7" },
  would: { effect: "deny", reason, rules: [rule] },
  reason: { ...reason, detail: "why", remedy: "how" },
  rules: [rule, { ...rule, rule: "other" }],
  constraints: [
    { name: "timeout", durationMs: 10_500 },
    { name: "maxOutputBytes", integer: 65_536 },
    { name: "redactOutput", strings: ["name"] },
    { name: "requireIdempotencyKey", flag: true },
  ],
  approval: {
    state: "pending",
    requirements: [{ rule, approvers: ["group:leads"], quorum: 2, expiresSeconds: 900 }],
    summary: "Sum",
  },
  questions: [{ id: "memo", type: "string", ask: "What for?" }],
  holds: [{ budget: "team", account: "4", unit: "EUR", amount: "1.25" }],
  revision: { security: "11", policy: "2" },
  ...{
    at: "2026-11-22T04:00:00.253Z",
    execute_before: "2026-11-22T04:01:00.253Z",
    report_by: "1969-12-31T23:59:59.999Z",
  },
  rollout: {
    ...{ id: "r", side: "candidate", versions: [{ policy: "house", version: 4 }], judged: true },
    other: { effect: "deny", code: "rule_denied", rules: [rule] },
  },
} as Decision["body"];

const decision: Decision = {
  ...{ body, record: { epoch: 3n, n: 7n }, transformedInput: { a: 1 }, answers: {} },
  ...{ askedBy: "me", callId: "c", tool: "t", replayed: true },
};
const answered = (of: Decision) => decisionToWire(of, { asBytes: true, diagnose: true, stalenessMs: 12 });

/** The same with every message of it made by the library, field by field. */
function made<Schema extends DescMessage>(schema: Schema, message: Message): Message {
  const plain = JSON.parse(
    JSON.stringify(message, (key, value) => (key === "$typeName" ? undefined : told(value))),
    heard,
  );
  return create(schema, plain);
}
const told = (value: unknown) => (typeof value === "bigint" ? `bigint:${value}` : value);
const heard = (_: string, value: unknown) => {
  if (typeof value === "string" && value.startsWith("bigint:")) return BigInt(value.slice(7));
  return (value as { type?: string } | null)?.type === "Buffer"
    ? Buffer.from((value as { data: number[] }).data)
    : value;
};

test("an answer has every member that answers have, and is written as the library's own is", () => {
  const answer = answered(decision);
  expect(Object.keys(answer).sort()).toEqual(
    ["$typeName", ...DecideResponseSchema.members.map(({ localName }) => localName)].sort(),
  );
  const bytes = toBinary(DecideResponseSchema, answer);
  expect(bytes).toEqual(toBinary(DecideResponseSchema, made(DecideResponseSchema, answer) as typeof answer));
  const read = fromBinary(DecideResponseSchema, bytes);
  expect(read.would?.reason?.retryAfter).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  expect(read.reportBy).toMatchObject({ seconds: -1n, nanos: 999_000_000 });
  expect(read.approval?.expiresAt).toMatchObject({ seconds: BigInt(Date.parse("2026-11-22T04:15:00Z") / 1000) });
  expect(read).toMatchObject({
    ...{ attempt: 2, replayed: true, revision: 13n, stalenessMs: 12, traceId: "0af7", record: { epoch: 3n, n: 7n } },
    reason: { code: "rule_allowed", message: "Allowed.", retryable: true, detail: "why", remedy: "how" },
    rules: [rule, { ...rule, rule: "other" }],
    would: { reason: { code: "rule_allowed", detail: "" }, rules: [rule] },
    questions: body.questions,
    holds: [{ budget: "team", amount: { unit: "EUR", value: "1.25" } }],
    rollout: { id: "r", canary: true, versions: [{ policy: "house", version: 4 }], other: { rules: [rule] } },
  });
  expect(read.constraints.map(({ value }) => value.case)).toEqual(["duration", "integer", "strings", "flag"]);
});

test("what a decision does not say is absent from its answer", () => {
  const { would, approval, questions, execute_before, report_by, rollout, ...plain } = body;
  const read = fromBinary(
    DecideResponseSchema,
    toBinary(DecideResponseSchema, answered({ ...decision, body: plain, transformedInput: undefined })),
  );
  const absent = [read.would, read.approval, read.executeBefore, read.reportBy, read.rollout, read.transformed.case];
  expect(absent).toEqual(absent.map(() => undefined));
  expect(read.questions).toEqual([]);
});
