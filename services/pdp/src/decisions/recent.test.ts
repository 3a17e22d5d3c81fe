import { expect, test } from "vitest";
import type { Decision } from "./decision.ts";
import { createRecentDecisions, type DecidedIn } from "./recent.ts";

const NOW_MS = Date.parse("2026-03-01T09:00:00Z");
const WHERE: DecidedIn = { tenant: "acme", session: "one", security: 3n };
const bounds = { recentDecisionsMax: 100, recentDecisionsBytesMax: 1_000_000 };

const decision = (id: string, own: Partial<Decision["body"]> = {}): Decision => ({
  body: {
    ...{ id, attempt: 1, effect: "allow", mode: "enforced", rules: [], constraints: [], policy_digest: "p" },
    ...{ reason: { code: "rule_allowed", message: "", retryable: false }, trace_id: "" },
    ...{ input_digest: "i", effective_input_digest: "e", revision: { security: "3", policy: "1" } },
    ...{ at: "2026-03-01T09:00:00.000Z", report_by: "2026-03-01T09:06:00.000Z", holds: [], ...own },
  },
  ...{ record: { epoch: 1n, n: 1n }, transformedInput: undefined, answers: {}, askedBy: "caller", callId: "call" },
  ...{ tool: "pay", replayed: false },
});

test("what reports read of a decision is remembered, and nothing of what policies said", () => {
  const recent = createRecentDecisions(bounds);
  const holds = [{ budget: "day", account: "7", unit: "EUR", amount: "1", key: "k" }];
  const more = { hold: "d", would_hold: [], covered_by: [{ budget: "day", unit: "USD", series: "1" }] };
  recent.keep(WHERE, decision("d", { holds, ...more }));
  expect(recent.find("d", WHERE, NOW_MS)).toEqual({
    ...{ askedBy: "caller", callId: "call", tool: "pay" },
    body: {
      ...{ id: "d", effect: "allow", mode: "enforced", input_digest: "i", effective_input_digest: "e", holds, ...more },
      ...{ at: "2026-03-01T09:00:00.000Z", report_by: "2026-03-01T09:06:00.000Z" },
    },
  });
});

test("another tenant, another session or another security revision has to read", () => {
  const recent = createRecentDecisions(bounds);
  recent.keep(WHERE, decision("d"));
  for (const other of [{ tenant: "umbra" }, { session: "two" }, { security: 4n }, { security: 2n }]) {
    expect(recent.find("d", { ...WHERE, ...other }, NOW_MS)).toBeUndefined();
  }
  expect(recent.find("d", { ...WHERE }, NOW_MS)).toBeDefined();
});

test("a decision whose time is over has to be read, and one that lets no tool run is not remembered", () => {
  const recent = createRecentDecisions(bounds);
  recent.keep(WHERE, decision("d"));
  const { report_by: _, ...waiting } = decision("waits", { effect: "escalate" }).body;
  recent.keep(WHERE, { ...decision("waits"), body: waiting });
  const untilMs = Date.parse("2026-03-01T09:06:00Z");
  expect(recent.find("d", WHERE, untilMs)).toBeDefined();
  expect(recent.find("d", WHERE, untilMs + 1)).toBeUndefined();
  expect(recent.find("waits", WHERE, NOW_MS)).toBeUndefined();
});

const found = (recent: ReturnType<typeof createRecentDecisions>, ids: readonly string[]) =>
  ids.filter((id) => recent.find(id, WHERE, NOW_MS));

test("as many are remembered as may be; then the oldest has to be read, and what was settled leaves its room", () => {
  const recent = createRecentDecisions({ ...bounds, recentDecisionsMax: 3 });
  const ids = ["a", "b", "c", "d", "e"];
  for (const id of ids.slice(0, 4)) recent.keep(WHERE, decision(id));
  expect(found(recent, ids)).toEqual(["b", "c", "d"]);
  recent.forget("c");
  recent.forget("c");
  recent.keep(WHERE, decision("e"));
  expect(found(recent, ids)).toEqual(["b", "d", "e"]);
});

test("what is remembered is bounded in bytes, by what its texts take", () => {
  const recent = createRecentDecisions({ ...bounds, recentDecisionsBytesMax: 10_000 });
  const key = "k".repeat(2_000);
  const long = (id: string) =>
    decision(id, { holds: [{ budget: "day", account: "7", unit: "EUR", amount: "1", key }] });
  for (const id of ["a", "b", "c"]) recent.keep(WHERE, long(id));
  expect(found(recent, ["a", "b", "c"])).toEqual(["b", "c"]);
  recent.keep(WHERE, decision("huge", { holds: Array.from({ length: 9 }, () => long("").body.holds).flat() }));
  expect(found(recent, ["a", "b", "c", "huge"])).toEqual([]);
  for (const id of ["a", "b", "c", "d"]) recent.keep(WHERE, decision(id));
  expect(found(recent, ["a", "b", "c", "d"])).toEqual(["a", "b", "c", "d"]);
});
