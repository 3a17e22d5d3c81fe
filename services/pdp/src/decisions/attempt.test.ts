import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../foundation/limits.ts";
import { strictObject } from "../foundation/strict-json.ts";
import type { Ask } from "./ask.ts";
import { approvalEndsMs, givenUp, mayBeFollowed, mayStart, nextStep } from "./attempt.ts";
import type { Decision, DecisionBody } from "./decision.ts";

const AT = "2026-03-01T09:00:00.000Z";
const AT_MS = Date.parse(AT);
const MINUTE_MS = 60_000;

const asking = (answers: object = {}): Ask => ({
  ...{
    callId: "c",
    tool: "t",
    estimate: [],
    schemaDigest: "",
    approvalId: "",
    supportedConstraints: [],
    wantPermit: false,
  },
  ...{ minRevision: 0n, traceId: "", withinMs: 1000, context: strictObject({}, "context") },
  input: strictObject({}, "input"),
  answers: strictObject(answers, "answers"),
});

const rule = { policy: "p", version: 1, rule: "r" };
const requirement = (expiresSeconds: number) => ({ rule, approvers: ["group:g"], quorum: 1, expiresSeconds });

function decided(own: Partial<DecisionBody> = {}, answers: Decision["answers"] = {}): Decision {
  const body: DecisionBody = {
    ...{ id: "d1", attempt: 1, effect: "allow", mode: "enforced", rules: [], constraints: [], policy_digest: "p" },
    holds: [],
    ...{ input_digest: "i", effective_input_digest: "i", revision: { security: "1", policy: "1" }, trace_id: "t" },
    ...{ at: AT, reason: { code: "rule_allowed", message: "", retryable: false } },
    ...own,
  };
  return {
    body,
    record: { epoch: 1n, n: 1n },
    transformedInput: undefined,
    answers,
    askedBy: "c1",
    callId: "c",
    tool: "pay",
    replayed: true,
  };
}

const allowed = (own: Partial<DecisionBody> = {}) =>
  decided({ execute_before: "2026-03-01T09:01:00.000Z", report_by: "2026-03-01T09:06:00.000Z", ...own });
const denied = (retryable: boolean, retryAfterMs?: number) =>
  decided({
    effect: "deny",
    reason: { code: "rule_denied", message: "", retryable, ...(retryAfterMs && { retry_after_ms: retryAfterMs }) },
  });
const escalated = (...expires: number[]) =>
  decided({ effect: "escalate", approval: { state: "pending", requirements: expires.map(requirement) } });

describe("a paused call", () => {
  const clarified = decided({ effect: "clarify" }, { why: "cake" });

  test("is answered the same while nothing is new", () => {
    for (const answers of [{}, { why: "cake" }]) {
      expect(nextStep(clarified, asking(answers), AT_MS)).toEqual({ step: "answer", decision: clarified });
    }
  });

  test("is attempted once more with a new answer, and what was answered before still counts", () => {
    const step = nextStep(clarified, asking({ when: "today" }), AT_MS);
    expect(step).toMatchObject({ step: "attempt", attempt: { number: 2, approvalExpired: false } });
    expect(step.step === "attempt" && step.attempt.answers.value).toEqual({ why: "cake", when: "today" });
  });

  test("is attempted once more when the first of its approvals ran out, and not a moment earlier", () => {
    const paused = escalated(900, 60);
    expect(approvalEndsMs(paused.body)).toBe(AT_MS + MINUTE_MS);
    expect(nextStep(paused, asking(), AT_MS + MINUTE_MS - 1)).toMatchObject({ step: "answer" });
    expect(nextStep(paused, asking(), AT_MS + MINUTE_MS)).toMatchObject({
      step: "attempt",
      attempt: { number: 2, approvalExpired: true },
    });
  });

  test("has so many attempts and no more, and the limit is named", () => {
    const last = decided({ effect: "clarify", attempt: limits.attemptsPerCallMax });
    expect(() => nextStep(last, asking({ when: "now" }), AT_MS)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("attempts"), retryable: false }),
    );
    expect(nextStep(last, asking(), AT_MS).step).toBe("answer");
  });

  test("does not gather answers beyond what a call may hold", () => {
    const long = "x".repeat(limits.callBytesMax - 20);
    const last = decided({ effect: "clarify" }, { first: long });
    expect(() => nextStep(last, asking({ second: "twenty more bytes of it" }), AT_MS)).toThrow("answers");
  });
});

describe("a denied call", () => {
  test("stays denied, whatever is asked with it and however late", () => {
    const last = denied(false);
    expect(nextStep(last, asking({ why: "cake" }), AT_MS + 1e9)).toEqual({ step: "answer", decision: last });
  });

  test("is attempted anew once it may be retried, and not a moment earlier", () => {
    expect(nextStep(denied(true, 5_000), asking(), AT_MS + 4_999).step).toBe("answer");
    expect(nextStep(denied(true, 5_000), asking(), AT_MS + 5_000)).toMatchObject({ attempt: { number: 2 } });
    expect(nextStep(denied(true), asking(), AT_MS + 999).step).toBe("answer");
    expect(nextStep(denied(true), asking(), AT_MS + 1_000).step).toBe("attempt");
  });
});

describe("an allowed call", () => {
  const reasonOf = (step: ReturnType<typeof nextStep>) =>
    step.step === "answer" ? step.decision.body.reason.code : step.attempt.forced?.code;

  test("is allowed again until it should have started", () => {
    const last = allowed();
    expect(nextStep(last, asking(), AT_MS + MINUTE_MS - 1)).toEqual({ step: "answer", decision: last });
    const late = nextStep(last, asking(), AT_MS + MINUTE_MS);
    expect(reasonOf(late)).toBe("decision_expired");
    expect(late.step === "answer" && late.decision.body).toMatchObject({ effect: "deny", constraints: [] });
    expect(late.step === "answer" && late.decision.body).not.toHaveProperty("execute_before");
  });

  test("is never allowed again once it was reported, whatever as, and its forced input is not told again", () => {
    for (const outcome of ["running", "succeeded", "failed", "not_executed", "unknown"]) {
      const last = { ...allowed({ effect: "transform" }), transformedInput: { a: 1 } };
      const step = nextStep(last, asking(), AT_MS, { outcome });
      expect(reasonOf(step)).toBe("already_executed");
      expect(step.step === "answer" && step.decision.transformedInput).toBeUndefined();
    }
  });

  test("is denied by what stands in its way now, unless it ran: then that is what its caller must know", () => {
    const bar = { code: "session_closed", message: "", kills: true } as const;
    expect(reasonOf(nextStep(allowed(), asking(), AT_MS, { bar }))).toBe("session_closed");
    expect(reasonOf(nextStep(allowed(), asking(), AT_MS, { bar, outcome: "succeeded" }))).toBe("already_executed");
  });

  test("of an observed tenant is stopped by an operator's hand alone; the rest is attempted and recorded", () => {
    const last = allowed({ mode: "observed" });
    const scope = { code: "scope_exceeded", message: "", kills: false } as const;
    const ran = nextStep(last, asking(), AT_MS, { outcome: "succeeded" });
    expect(ran).toMatchObject({ step: "attempt", attempt: { number: 2, forced: { code: "already_executed" } } });
    expect(nextStep(last, asking(), AT_MS, { bar: scope })).toMatchObject({ step: "attempt" });
    expect(nextStep(last, asking(), AT_MS, { bar: { ...scope, kills: true } })).toMatchObject({ step: "answer" });
  });
});

test("a call that was given up before it arrived is denied under a number of its own", () => {
  expect(givenUp(asking())).toMatchObject({ number: 2, forced: { effect: "deny", code: "already_executed" } });
});

test("whatever was decided and whenever it is asked, only what may start is answered as startable, and attempts go up by one", () => {
  const effects = fc.constantFrom("allow", "transform", "escalate", "clarify", "deny");
  const bodies = fc.record({
    effect: effects as fc.Arbitrary<DecisionBody["effect"]>,
    mode: fc.constantFrom("enforced" as const, "observed" as const),
    attempt: fc.integer({ min: 1, max: limits.attemptsPerCallMax - 1 }),
    retryable: fc.boolean(),
  });
  const answers = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"));
  const outcomes = fc.constantFrom(undefined, "running", "succeeded", "failed", "not_executed", "unknown");
  const bars = fc.constantFrom(undefined, { code: "session_closed", message: "", kills: true } as const);
  fc.assert(
    fc.property(
      bodies,
      answers,
      answers,
      outcomes,
      bars,
      fc.integer({ min: 0, max: 10 * MINUTE_MS }),
      (own, before, now, outcome, bar, laterMs) => {
        const { retryable, ...rest } = own;
        const paused =
          own.effect === "escalate"
            ? { approval: { state: "pending" as const, requirements: [requirement(120)] } }
            : {};
        const reason = { code: "rule_denied", message: "", retryable } as const;
        const last = { ...allowed({ ...rest, ...paused, reason }), answers: before };
        const step = nextStep(last, asking(now), AT_MS + laterMs, { outcome, bar });
        if (step.step === "attempt") {
          expect(step.attempt.number).toBe(own.attempt + 1);
          expect(mayBeFollowed(last)).toBe(true);
          // What was allowed is attempted again only to be watched, and then not judged by policy.
          if (mayStart(last)) expect([own.mode, step.attempt.forced?.effect]).toEqual(["observed", "deny"]);
          return;
        }
        const startable = mayStart(step.decision);
        const inTime = laterMs < MINUTE_MS;
        expect(startable).toBe(mayStart(last) && outcome === undefined && bar === undefined && inTime);
      },
    ),
  );
});
