import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Effect, Mode } from "@remit/proto/common";
import { DecideResponseSchema } from "@remit/proto/decision";
import { expect, test } from "vitest";
import { decisionLines } from "./decision-text.ts";
import { painter } from "./paint.ts";

function lines(answer: MessageInitShape<typeof DecideResponseSchema>): string {
  return decisionLines(create(DecideResponseSchema, answer), "payments.transfer", painter(false)).join("\n");
}

test("a denial says what, why, by which rule and where it is recorded", () => {
  const text = lines({
    effect: Effect.DENY,
    decisionId: "d-1",
    reason: { code: "rule_denied", message: "Transfers stay in Germany.", remedy: "Pay a German account." },
    rules: [{ policy: "payments", version: 3, rule: "never-abroad" }],
    record: { epoch: 4n, n: 17n },
  });
  expect(text).toContain("DENY  payments.transfer  rule_denied");
  expect(text).toContain("Transfers stay in Germany.");
  expect(text).toContain("Pay a German account.");
  expect(text).toContain("payments@3/never-abroad");
  expect(text).toContain("epoch 4, n 17");
  expect(text).toContain("remit why d-1");
});

test("an effect that nobody knows reads as a denial", () => {
  expect(lines({ effect: 42 as Effect })).toContain("DENY");
});

test("a transform shows what must run, with its constraints", () => {
  const text = lines({
    effect: Effect.TRANSFORM,
    transformed: { case: "transformedJson", value: new TextEncoder().encode('{"path":"/workspace/a"}') },
    constraints: [
      { name: "timeout", value: { case: "duration", value: { seconds: 10n, nanos: 500_000_000 } } },
      { name: "maxOutputBytes", value: { case: "integer", value: 65536n } },
      { name: "redactOutput", value: { case: "strings", value: { values: ["iban"] } } },
    ],
  });
  expect(text).toContain('runs with {"path":"/workspace/a"}');
  expect(text).toContain("timeout=10.5s, maxOutputBytes=65536, redactOutput=[iban]");
});

test("a pause shows whose approval it needs and what is asked", () => {
  const requirements = [{ approvers: ["group:leads"], quorum: 2 }];
  expect(lines({ effect: Effect.ESCALATE, approval: { requirements } })).toContain("2 of group:leads");
  const questions = [{ id: "memo", type: "string", ask: "What is it for?" }];
  expect(lines({ effect: Effect.CLARIFY, questions })).toContain("memo (string): What is it for?");
});

test("an observed answer says what enforcement would have answered; a replayed one that it is one", () => {
  const rules = [{ policy: "payments", version: 3, rule: "not-abroad" }];
  const would = { effect: Effect.DENY, reason: { code: "rule_denied", message: "Not abroad." }, rules };
  const text = lines({ effect: Effect.ALLOW, mode: Mode.OBSERVED, would, replayed: true });
  expect(text).toContain("enforcement would deny (payments@3/not-abroad): Not abroad.");
  expect(text).toContain("decided before");
});
