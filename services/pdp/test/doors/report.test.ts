import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settableClock } from "../../src/index.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";

const START_MS = Date.parse("2026-03-01T09:00:00Z");
const clock = settableClock(START_MS);
let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse({ clock });
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

const pay = (callId: string, amount = 5, as = headers) =>
  house.clients.decisions.decide(
    { callId, tool: "payments.transfer", input: { case: "inputObject", value: { amount } } },
    { headers: as },
  );

const report = (subject: { decisionId: string } | { callId: string }, outcome: Outcome, more = {}, as = headers) =>
  house.clients.decisions.report(
    {
      subject:
        "decisionId" in subject
          ? { case: "decisionId", value: subject.decisionId }
          : { case: "callId", value: subject.callId },
      outcome,
      ...more,
    },
    { headers: as },
  );

test("a report is recorded, once, and the first outcome stands", async () => {
  const { decisionId } = await pay("once");
  const first = await report({ decisionId }, Outcome.SUCCEEDED, { actual: [{ unit: "EUR", value: "5.00" }] });
  expect(first).toMatchObject({ decisionId, replayed: false, outcome: Outcome.SUCCEEDED, inputMatches: true });
  const second = await report({ decisionId }, Outcome.FAILED);
  expect(second).toMatchObject({ replayed: true, outcome: Outcome.SUCCEEDED, record: first.record });
  const { reports } = await house.clients.ledger.getDecision({ decisionId }, { headers });
  expect(reports).toMatchObject([
    { kind: "report", body: { outcome: "succeeded", actual: [{ unit: "EUR", value: "5" }] } },
  ]);
});

test("a call that ran is not allowed a second time", async () => {
  const { decisionId } = await pay("ran");
  await report({ decisionId }, Outcome.SUCCEEDED);
  const again = await pay("ran");
  expect(again).toMatchObject({
    decisionId,
    effect: Effect.DENY,
    replayed: true,
    reason: { code: "already_executed" },
  });
  expect(again.reason?.message).toContain("succeeded");
});

test("an allowed call that did not start in time is not allowed any more", async () => {
  const allowed = await pay("late");
  clock.set(Number(allowed.executeBefore?.seconds ?? 0n) * 1000 - 1);
  const inTime = await pay("late");
  clock.set(Number(allowed.executeBefore?.seconds ?? 0n) * 1000 + 1000);
  const late = await pay("late");
  clock.set(START_MS);
  expect(inTime.effect).toBe(Effect.ALLOW);
  expect(late).toMatchObject({ effect: Effect.DENY, reason: { code: "decision_expired" } });
});

test("a report of what was decided here reads no decision, until the security revision is another", async () => {
  const [first, second] = [await pay("remembered"), await pay("read-again")];
  const inStore = (change: string, ids: readonly string[]) =>
    withClient(house.database.superuserUrl, (client) => client.query(change, [ids]));
  // Whoever reads it finds it in no session of the caller's.
  const hide = "update record set session = gen_random_uuid() where id = any($1::uuid[])";
  await inStore(hide, [first.decisionId, second.decisionId]);
  expect(await report({ decisionId: first.decisionId }, Outcome.SUCCEEDED)).toMatchObject({ inputMatches: true });
  await inStore("update revision set security = security + cardinality($1::text[])", [""]);
  const read = await failure(report({ decisionId: second.decisionId }, Outcome.SUCCEEDED));
  expect(read).toMatchObject({ code: "NotFound", detail: { reason: "decision_unknown" } });
});

test("a report may name the call instead of the decision", async () => {
  const { decisionId } = await pay("by-call");
  expect(await report({ callId: "by-call" }, Outcome.NOT_EXECUTED)).toMatchObject({ decisionId });
});

test("that nothing ran may be said of a call that never arrived; that something did may not", async () => {
  expect(await report({ callId: "never-asked" }, Outcome.NOT_EXECUTED)).toMatchObject({ decisionId: "" });
  expect(await failure(report({ callId: "never-asked-either" }, Outcome.SUCCEEDED))).toMatchObject({
    code: "NotFound",
    detail: { reason: "decision_unknown" },
  });
});

test("running and unknown leave a call open", async () => {
  const { decisionId } = await pay("open");
  const running = await report({ decisionId }, Outcome.RUNNING);
  expect(running.reportBy?.seconds).toBeGreaterThan(0n);
  await report({ decisionId }, Outcome.UNKNOWN);
  expect(await report({ decisionId }, Outcome.SUCCEEDED)).toMatchObject({
    replayed: false,
    outcome: Outcome.SUCCEEDED,
  });
});

test("another session may neither report on a decision nor learn that it exists", async () => {
  const { decisionId } = await pay("mine");
  const other = await openSession(house);
  const foreign = await failure(report({ decisionId }, Outcome.SUCCEEDED, {}, other.headers));
  const missing = await failure(
    report({ decisionId: "01890000-0000-7000-8000-000000000000" }, Outcome.SUCCEEDED, {}, other.headers),
  );
  expect(foreign).toEqual(missing);
});

test("what ran and is not what was decided is told apart", async () => {
  const { decisionId } = await pay("other-input");
  const inputDigest = `sha256:${"0".repeat(64)}`;
  expect(await report({ decisionId }, Outcome.SUCCEEDED, { inputDigest })).toMatchObject({ inputMatches: false });
});

test("a token that ran out may still report for a day", async () => {
  const { decisionId } = await pay("tardy");
  clock.set(START_MS + 10 * 3_600_000);
  expect(await failure(pay("tardy-2"))).toMatchObject({ detail: { reason: "token_expired" } });
  const told = await report({ decisionId }, Outcome.SUCCEEDED);
  clock.set(START_MS + 26 * 3_600_000);
  const tooLate = await failure(report({ decisionId }, Outcome.SUCCEEDED));
  clock.set(START_MS);
  expect(told.outcome).toBe(Outcome.SUCCEEDED);
  expect(tooLate).toMatchObject({ detail: { reason: "token_expired" } });
});

test.each([
  ["no outcome", { outcome: Outcome.UNSPECIFIED }, "outcome"],
  ["a digest that is none", { inputDigest: "sha256:abc" }, "input_digest"],
  ["an amount below zero", { actual: [{ unit: "EUR", value: "-5" }] }, "actual[0].value"],
  [
    "a unit twice",
    {
      actual: [
        { unit: "EUR", value: "1" },
        { unit: "EUR", value: "2" },
      ],
    },
    "actual",
  ],
])("a report with %s is refused and nothing is recorded", async (what, more, field) => {
  const { decisionId } = await pay(`refused-${what}`);
  expect(await failure(report({ decisionId }, Outcome.SUCCEEDED, more))).toMatchObject({
    code: "InvalidArgument",
    detail: { field },
  });
  const { reports } = await house.clients.ledger.getDecision({ decisionId }, { headers });
  expect(reports).toEqual([]);
});
