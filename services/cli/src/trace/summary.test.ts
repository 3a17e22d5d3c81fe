import { expect, test } from "vitest";
import { painter } from "../paint.ts";
import { REPLAY_NOTE, summaryJson, summaryLines } from "./summary.ts";
import { createTally } from "./tally.ts";

function result() {
  const tally = createTally();
  const call = { run: "0-1", step: 4, tool: "pay" };
  tally.add({ ...call, line: 1, effect: "allow", code: "rule_allowed", rules: ["payments/pay"] }, "");
  tally.add({ ...call, line: 2, effect: "deny", code: "rule_denied", rules: ["payments/abroad"] }, "Stay in Germany.");
  return { tally: tally.result(), latency: { p50: 0.5, p90: 0.75, p99: 1.25, max: 3 }, runs: 1, seconds: 0.5 };
}

test("a person reads tables by tool and by rule, the first examples, percentiles and what a replay is", () => {
  const text = summaryLines(result(), painter(false)).join("\n");
  expect(text).toMatch(/TOOL +CALLS +ALLOWED +TRANSFORMED +ESCALATED +CLARIFIED +DENIED\npay +2 +1 +· +· +· +1/);
  expect(text).toContain("payments/abroad");
  expect(text).toContain("line 2  run 0-1  step 4  pay  deny  payments/abroad");
  expect(text).toContain("Stay in Germany.");
  expect(text).toContain("2 calls of 1 run in 0.5 s (4 a second): 1 allowed, 1 denied");
  expect(text).toContain("p50 0.50 ms, p90 0.75 ms, p99 1.25 ms, max 3.00 ms");
  expect(text).toContain(REPLAY_NOTE);
  expect(text).not.toContain("NOT DECIDED");
});

test("what is only observed stands apart, by what enforcement would have answered", () => {
  const tally = createTally();
  const call = { run: "0-1", step: 4, tool: "pay", effect: "allow", code: "observed", rules: [] } as const;
  const would = { effect: "deny", code: "rule_denied", rules: ["payments/abroad"] } as const;
  tally.add({ ...call, line: 1, would }, "");
  tally.add({ ...call, line: 2, would: { ...would, effect: "allow" } }, "");
  const seen = { ...result(), tally: tally.result() };
  const text = summaryLines(seen, painter(false)).join("\n");
  expect(text).toContain("observed, not enforced: 1 would be allowed, 1 would be denied");
  expect(summaryJson(seen)).toMatchObject({ total: { allow: 2 }, would: { allow: 1, deny: 1 } });
  expect(summaryLines(result(), painter(false)).join("\n")).not.toContain("observed");
});

test("a machine reads the same", () => {
  expect(summaryJson(result())).toMatchObject({
    calls: 2,
    total: { allow: 1, deny: 1 },
    by_tool: { pay: { allow: 1, deny: 1 } },
    by_rule: { "payments/abroad": { deny: 1 } },
    examples: [{ line: 2 }],
    latency_ms: { p99: 1.25 },
    note: REPLAY_NOTE,
  });
});
