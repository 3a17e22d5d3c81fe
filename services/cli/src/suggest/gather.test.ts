import type { JsonObject, ToolDocument } from "@remit/engine";
import * as engine from "@remit/engine";
import { expect, test } from "vitest";
import { decisionCandidate } from "./from-decisions.ts";
import { type Candidate, gather } from "./gather.ts";

const agent = { id: "clerk", labels: { team: "desk" }, owner: "ada" };
const reason = (code: string) => ({ code, message: "", retryable: false });

const decided = (body: JsonObject): JsonObject => ({
  ...{ tool: "pay", agent, input: { amount: 4 }, context: { now: 1 }, effect: "allow", mode: "enforced" },
  ...{ reason: reason("rule_allowed"), rules: [], principal: { id: "ann", verified: true } },
  ...body,
});

const observed = (effect: string, code: string, more: JsonObject = {}) =>
  decided({ mode: "observed", would: { effect, reason: reason(code), rules: [] }, ...more });

const tool: ToolDocument = {
  ...{ apiVersion: "remit/v1", kind: "Tool", metadata: { name: "pay" } },
  spec: { risk: "write", inputSchema: { type: "object", properties: { amount: { type: "number" } } } },
};

function gathered(bodies: readonly JsonObject[], excludeDenied = false) {
  const candidates = bodies.map(decisionCandidate);
  return gather({ engine, candidates, tools: new Map([["pay", tool]]), excludeDenied, source: "here" });
}

test("what ran is drafted from, observed or enforced, and what was stopped is not", () => {
  const { calls, left } = gathered([
    decided({}),
    decided({ effect: "transform" }),
    decided({ effect: "deny", reason: reason("no_rule_matched") }),
    decided({ effect: "escalate" }),
    observed("deny", "no_rule_matched"),
    observed("deny", "tool_unknown", { tool: "elsewhere" }),
  ]);
  expect(calls).toHaveLength(4);
  expect(left).toEqual({ stopped: 2 });
  expect(calls[0]).toEqual({
    ...{ tool: "pay", input: { amount: 4 }, context: { now: 1 }, principal: "ann", redacted: [] },
    agent: { id: "clerk", labels: { team: "desk" } },
  });
});

test("what no policy can allow is left out and counted: scope, schema, what was not kept, what cannot be named", () => {
  const { input: _, ...digestOnly } = observed("allow", "rule_allowed");
  const { calls, left } = gathered([
    observed("deny", "scope_exceeded"),
    observed("deny", "input_invalid", { input: { amount: "many" } }),
    digestOnly,
    {},
    observed("deny", "tool_unknown", { tool: "a tool with spaces" }),
    observed("deny", "no_rule_matched", { input: { amount: 1, note: "\ud800" } }),
  ]);
  expect(calls).toEqual([]);
  expect(left).toEqual({ scope: 1, invalid: 1, digest: 2, unnameable: 1, unreadable: 1 });
});

test("what rules in force restrain is counted, and left out if asked for", () => {
  const bodies = [
    observed("deny", "rule_denied"),
    observed("deny", "evaluation_error"),
    observed("escalate", "approval_required"),
    observed("deny", "no_rule_matched"),
  ];
  const all = gathered(bodies);
  expect([all.calls.length, all.restrained, all.left]).toEqual([4, { deny: 2, escalate: 1 }, {}]);
  const fewer = gathered(bodies, true);
  expect([fewer.calls.length, fewer.restrained, fewer.left]).toEqual([2, { escalate: 1 }, { denied: 2 }]);
});

test("a schema is not held against what was kept redacted, nor a suspended tool against what it did before", () => {
  const of = (body: JsonObject, spec: Partial<ToolDocument["spec"]> = {}) => {
    const candidates: Candidate[] = [decisionCandidate(observed("deny", "x", body))];
    const tools = new Map([["pay", { ...tool, spec: { ...tool.spec, ...spec } }]]);
    return gather({ engine, candidates, excludeDenied: false, source: "", tools });
  };
  const mark = { redacted: "hmac-sha256:00", key: "k" };
  expect(of({ input: { amount: mark } }).left).toEqual({ invalid: 1 });
  const kept = of({ input: { amount: mark }, redacted: ["input.amount"] });
  expect(kept.calls).toMatchObject([{ redacted: ["input.amount"] }]);
  expect(of({}, { status: "suspended" }).calls).toHaveLength(1);
});
