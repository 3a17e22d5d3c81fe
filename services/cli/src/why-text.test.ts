import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { painter } from "./paint.ts";
import { whyLines } from "./why-text.ts";

const body: JsonObject = {
  id: "d-1",
  kind: "decision",
  attempt: 1,
  effect: "deny",
  reason: { code: "rule_denied", message: "Ask a person in operations." },
  rules: [{ policy: "records", version: 2, rule: "customers-are-not-deleted" }],
  unknowns: [{ rule: { policy: "records", version: 2, rule: "other" }, why: "input.count is missing" }],
  tool: "customers.delete",
  input: { filter: "all" },
  context: {},
  agent: { id: "bookkeeper" },
  principal: { id: "ada", verified: false },
  session: { id: "s-1" },
  caller: { id: "c-1", name: "billing" },
  chain: [{ session: "s-1", agent: "bookkeeper" }],
  call: { id: "call-7", estimate: [] },
  revision: { security: "3", policy: "9" },
  at: "2026-11-21T10:00:00.000Z",
};

function text(reports: JsonObject[] = [], decision: JsonObject = body): string {
  const entries = [decision, ...reports].map((entry, at) => ({
    epoch: 4n,
    n: BigInt(17 + at),
    digest: `sha256:${at}`,
    body: entry,
  }));
  return whyLines(entries, painter(false)).join("\n");
}

test("a decision is told whole: what, why, who, for whom, by which rules, where", () => {
  const told = text();
  for (const part of [
    "DENY  customers.delete  rule_denied",
    "Ask a person in operations.",
    "records@2/customers-are-not-deleted",
    "records@2/other: input.count is missing",
    "ada (asserted by the caller)",
    "billing",
    "call-7, attempt 1",
    '{"filter":"all"}',
    "epoch 4, n 17",
    "nothing was reported on it",
  ]) {
    expect(told).toContain(part);
  }
  expect(told).not.toContain("context ");
});

test("an observed decision says what enforcement would have answered, by which rules or why", () => {
  const observed = { ...body, effect: "allow", mode: "observed", reason: { code: "observed", message: "Watched." } };
  const reason = { code: "rule_denied", message: "Ask a person in operations." };
  const would = { effect: "deny", reason, rules: [{ policy: "records", version: 2, rule: "no-deletion" }] };
  const told = "enforcement would deny (records@2/no-deletion): Ask a person in operations.";
  expect(text([], { ...observed, would })).toContain(told);
  const unknown = { effect: "deny", reason: { code: "tool_unknown", message: "Not registered." }, rules: [] };
  expect(text([], { ...observed, would: unknown })).toContain("enforcement would deny (tool_unknown): Not registered.");
});

test("a call that is stopped for what its agent spends is told with all that the answer was made from", () => {
  const spending = {
    ...{ account: "7", unit: "EUR", needed: "40", median: "20", mad: "1", windows: 9, deviations: 6 },
    ...{ windows_min: 7, floor: "5", history: ["20"] },
  };
  const until = "2026-11-21T11:00:00.000Z";
  const breaker = {
    kind: "spending",
    reach: "agent",
    of: "refunds",
    count: "10",
    limit: "32",
    opened: true,
    level: 0,
    until,
  };
  expect(text([], { ...body, breaker: { ...breaker, spending } })).toContain(
    "spending of this agent: 10 EUR spent and held in this window of refunds, 40 more needed; above 32 is out of the ordinary, by 9 windows before it: median 20, deviation 1 (6 deviations, at least 5), until 2026-11-21T11:00:00.000Z",
  );
});

test("reports stand below with their cost, and one that ran another input says so loudly", () => {
  const report = { at: "2026-11-21T10:00:01.000Z", outcome: "succeeded", actual: [{ unit: "EUR", value: "12.5" }] };
  expect(text([report])).toContain("succeeded, cost 12.5 EUR  (epoch 4, n 18)");
  expect(text([{ ...report, input_matches: false }])).toContain("WHAT RAN IS NOT WHAT WAS DECIDED");
});

test("what a call holds stands with the answer, and what became of it with its reports", () => {
  const held = { budget: "refunds", account: "7", unit: "EUR", amount: "40" };
  expect(text([], { ...body, holds: [held] })).toContain("holds      40 EUR of refunds");
  expect(text([], { ...body, holds: [], would_hold: [held] })).toContain(
    "watched    40 EUR of refunds: nothing is held",
  );
  const at = "2026-11-21T10:00:01.000Z";
  const settled = [{ ...held, posted: "40", overage: "2.5" }];
  const beyond = "succeeded, counted 40 EUR and 2.5 beyond what was held of refunds, FROZE refunds";
  expect(text([{ at, outcome: "succeeded", settled, froze: "refunds" }])).toContain(beyond);
  expect(text([{ at, outcome: "succeeded", unsettled: ["JPY"] }])).toContain("succeeded, NO BUDGET COUNTS ITS JPY");
  expect(text([], { ...body, holds: [], covered_by: [{ budget: "refunds", unit: "EUR" }] })).toContain(
    "covered    by refunds: its tool costs nothing in EUR",
  );
  const expired = { at, kind: "expiry", posted: [{ account: "7", amount: "40" }] };
  expect(text([expired])).toContain("nobody reported in time; what was held is counted as spent  (epoch 4, n 18)");
  const resolved = { at, kind: "expiry", posted: [], resolved_by: { name: "ada" }, reason: "the bank has none" };
  expect(text([resolved])).toContain("resolved by ada: the bank has none; what was held is given back");
  const late = { at, outcome: "failed", corrects: true, settled: [{ ...held, posted: "-40", overage: "0" }] };
  expect(text([expired, late])).toContain("failed, corrected by -40 EUR of refunds");
});

test("an input that is long is cut, and its length is told", () => {
  expect(text([], { ...body, input: { text: "x".repeat(5000) } })).toContain("… (5011 characters)");
});
