import { expect, test } from "vitest";
import type { StoredRecord } from "../ledger/index.ts";
import type { Decision } from "./decision.ts";
import { answerAgain, storedDecision } from "./replay.ts";
import { firstOutcome } from "./report.ts";

const AT = "2026-03-01T09:00:00.000Z";
const BEFORE = "2026-03-01T09:01:00.000Z";

const body = (own: object = {}) => ({
  ...{ id: "d1", attempt: 1, effect: "allow", mode: "enforced", rules: [], constraints: [], policy_digest: "p" },
  ...{
    input_digest: "i",
    effective_input_digest: "i",
    revision: { security: "1", policy: "1" },
    trace_id: "t",
    at: AT,
  },
  reason: { code: "rule_allowed", message: "", retryable: false },
  execute_before: BEFORE,
  report_by: BEFORE,
  ...own,
});

const record = (content: object, own: Partial<StoredRecord> = {}): StoredRecord => ({
  ...{ id: "d1", tenant: "t", session: "s", kind: "decision", epoch: 3n, n: 7n, digest: new Uint8Array(32) },
  body: Buffer.from(JSON.stringify(content)),
  ...own,
});

const decision = (own: object = {}): Decision => storedDecision(record(body(own)));
const inTimeMs = Date.parse(BEFORE) - 1;

test("a stored decision is answered as it was, with where it is recorded", () => {
  expect(decision()).toMatchObject({ replayed: true, record: { epoch: 3n, n: 7n }, body: body() });
});

test("the input that must run is found in the entry, or beside it", () => {
  expect(decision({ effect: "transform", transformed_input: { a: 1 } }).transformedInput).toEqual({ a: 1 });
  const aside = Buffer.from('{"transformed_input":{"a":2}}');
  expect(storedDecision(record(body({ effect: "transform" }), { aside })).transformedInput).toEqual({ a: 2 });
});

test("a record that is no decision is never taken for one", () => {
  expect(() => storedDecision(record({}, { kind: "report" }))).toThrow("broken invariant");
});

test("an allowed call is allowed again until it should have started", () => {
  expect(answerAgain(decision(), undefined, inTimeMs).body.effect).toBe("allow");
  const late = answerAgain(decision(), undefined, Date.parse(BEFORE));
  expect(late.body).toMatchObject({ effect: "deny", reason: { code: "decision_expired" }, constraints: [] });
  expect(late.body).not.toHaveProperty("execute_before");
});

test("a call that was reported is never allowed again, whatever it was reported as, and what ran is not told twice", () => {
  for (const outcome of ["succeeded", "failed", "not_executed", "unknown"]) {
    const again = answerAgain(decision({ effect: "transform", transformed_input: { a: 1 } }), outcome, inTimeMs);
    expect(again.body).toMatchObject({ effect: "deny", reason: { code: "already_executed" } });
    expect(again.transformedInput).toBeUndefined();
  }
});

test.each(["deny", "escalate", "clarify"])("a %s stays what it was", (effect) => {
  const same = decision({ effect });
  expect(answerAgain(same, "succeeded", Date.parse(BEFORE) + 1)).toBe(same);
});

test("the first settling outcome stands; unknown counts where nothing else was said, and running where nothing else at all", () => {
  const reports = (...outcomes: string[]) => outcomes.map((outcome) => record({ outcome }, { kind: "report" }));
  expect(firstOutcome([])).toBeUndefined();
  expect(firstOutcome(reports("running"))).toBe("running");
  expect(firstOutcome(reports("running", "unknown"))).toBe("unknown");
  expect(firstOutcome(reports("unknown", "succeeded", "failed"))).toBe("succeeded");
});
