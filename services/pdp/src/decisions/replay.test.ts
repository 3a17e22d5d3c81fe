import { expect, test } from "vitest";
import { countTurns } from "../../test/support/turns.ts";
import type { StoredRecord } from "../ledger/index.ts";
import { storedDecision } from "./replay.ts";
import { firstOutcome, reportEndsMs } from "./report.ts";

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
  caller: { id: "c1", name: "checkout" },
  call: { id: "k1" },
  answers: { why: "cake" },
  execute_before: BEFORE,
  report_by: BEFORE,
  ...own,
});

const record = (content: object, own: Partial<StoredRecord> = {}): StoredRecord => ({
  ...{ id: "d1", tenant: "t", session: "s", kind: "decision", epoch: 3n, n: 7n, digest: new Uint8Array(32) },
  body: Buffer.from(JSON.stringify(content)),
  ...own,
});

test("a stored decision is answered as it was, with where it is recorded, who asked and what was answered", async () => {
  expect(await storedDecision(record(body()))).toMatchObject({
    ...{
      replayed: true,
      record: { epoch: 3n, n: 7n },
      body: body(),
      askedBy: "c1",
      callId: "k1",
      answers: { why: "cake" },
    },
  });
});

test("a long one is answered in slices, and others are answered in between", async () => {
  const scopes = Array.from({ length: 200 }, () => ({ tools: ["pay"], bounds: [{ in: Array(1_000).fill("a") }] }));
  const turns = countTurns();
  const decision = await storedDecision(record(body({ scopes })));
  turns.stop();
  expect(decision.body).toEqual(body({ scopes }));
  expect(turns.now()).toBeGreaterThan(5);
});

test("the input that must run is found in the entry, or beside it", async () => {
  const within = record(body({ effect: "transform", transformed_input: { a: 1 } }));
  expect((await storedDecision(within)).transformedInput).toEqual({ a: 1 });
  const aside = Buffer.from('{"transformed_input":{"a":2}}');
  const beside = await storedDecision(record(body({ effect: "transform" }), { aside }));
  expect(beside.transformedInput).toEqual({ a: 2 });
});

test("a record that is no decision is never taken for one", async () => {
  await expect(storedDecision(record({}, { kind: "report" }))).rejects.toThrow("broken invariant");
});

const reports = (...outcomes: string[]) => outcomes.map((outcome) => record({ outcome }, { kind: "report" }));

test("the first settling outcome stands; unknown counts where nothing else was said, and running where nothing else at all", () => {
  expect(firstOutcome([])).toBeUndefined();
  expect(firstOutcome(reports("running"))).toBe("running");
  expect(firstOutcome(reports("running", "unknown"))).toBe("unknown");
  expect(firstOutcome(reports("unknown", "succeeded", "failed"))).toBe("succeeded");
});

test("a report may come until its decision said, or until the last word that the call still runs", async () => {
  const decision = await storedDecision(record(body()));
  expect(reportEndsMs(decision, reports("unknown"))).toBe(Date.parse(BEFORE));
  const running = record({ outcome: "running", report_by: "2026-03-01T09:09:00.000Z" }, { kind: "report" });
  expect(reportEndsMs(decision, [running, ...reports("unknown")])).toBe(Date.parse("2026-03-01T09:09:00.000Z"));
});
