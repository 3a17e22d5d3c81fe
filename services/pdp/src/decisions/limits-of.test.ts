import type { AgentDocument, PolicyDocument, ToolDocument } from "@remit/engine";
import { expect, test } from "vitest";
import { DEFAULT_CALL_LIMITS } from "../behaviour/index.ts";
import type { Snapshot } from "../policies/index.ts";
import { createLimitsOf } from "./limits-of.ts";

const apiVersion = "remit/v1";
type Limits = ToolDocument["spec"]["limits"];

const policy = (name: string, limits: Limits, team?: string): PolicyDocument => ({
  ...{ apiVersion, kind: "Policy", metadata: { name } },
  spec: {
    ...{ mode: "enforce", rules: [{ id: "all", match: { tools: ["*"] }, effect: "allow" }] },
    ...(limits && { limits }),
    ...(team !== undefined && { appliesTo: { agents: { matchLabels: { team } } } }),
  },
});

/** A tenant with one tool, and an agent of the team of finance. */
function snapshotWith(
  tool: Limits,
  policies: readonly PolicyDocument[] = [],
  breakers?: "enforce" | "observe" | "off",
): Snapshot {
  const document: ToolDocument = {
    ...{ apiVersion, kind: "Tool", metadata: { name: "pay" } },
    spec: { risk: "write", ...(tool && { limits: tool }) },
  };
  const agent: AgentDocument = {
    ...{ apiVersion, kind: "Agent", metadata: { name: "clerk" } },
    spec: { ceiling: { tools: ["*"] }, status: "active", labels: { team: "finance" } },
  };
  return {
    tools: new Map([["pay", { document, digest: "" }]]),
    agents: new Map([["clerk", agent]]),
    policies: policies.map((one) => ({ document: one, version: 1, digest: "" })),
    settings: { ...(breakers && { breakers }) },
  } as unknown as Snapshot;
}

const limitsIn = (snapshot: Snapshot, agent = "clerk", tool = "pay") => createLimitsOf()(snapshot, agent, tool);
const none = Number.POSITIVE_INFINITY;

test("where nobody names a limit the defaults bind, and a tool's own takes a default's place, up or down", () => {
  expect(limitsIn(snapshotWith(undefined))).toEqual({ bound: DEFAULT_CALL_LIMITS, watched: DEFAULT_CALL_LIMITS });
  const named = limitsIn(snapshotWith({ failures: 100, identical: 1 }))?.bound;
  expect(named).toEqual({ ...DEFAULT_CALL_LIMITS, failures: 100, identical: 1 });
});

test("of several that name a limit the strictest binds, and a policy for other agents names none", () => {
  const policies = [
    policy("a", { failures: 4, denials: 9 }),
    policy("b", { failures: 2 }, "sales"),
    policy("c", undefined),
  ];
  const { bound } = limitsIn(snapshotWith({ failures: 6 }, policies)) ?? {};
  expect(bound).toMatchObject({ failures: 4, denials: 9 });
  const ours = [policy("b", { failures: 2 }, "finance")];
  expect(limitsIn(snapshotWith({ failures: 6 }, ours))?.bound.failures).toBe(2);
  expect(limitsIn(snapshotWith({ failures: 6 }, ours), "nobody")?.bound.failures).toBe(6);
  expect(limitsIn(snapshotWith({ failures: 6 }), "clerk", "other")?.bound).toEqual(DEFAULT_CALL_LIMITS);
});

test("where defaults are only observed what is named stops, and the defaults are watched beside it", () => {
  const { bound, watched } = limitsIn(snapshotWith({ failures: 3 }, [], "observe")) ?? {};
  expect(bound).toEqual({ identical: none, failures: 3, denials: none, perSecond: none, perMinute: none });
  expect(watched).toEqual({ ...DEFAULT_CALL_LIMITS, failures: 3 });
});

test("where defaults are off only what is named stops, and nothing at all where nobody names any", () => {
  expect(limitsIn(snapshotWith(undefined, [], "off"))).toBeNull();
  const { bound, watched } = limitsIn(snapshotWith({ perMinute: 1 }, [], "off")) ?? {};
  expect(bound).toMatchObject({ perMinute: 1, failures: none });
  expect(watched).toBe(bound);
});

test("limits are worked out once a snapshot", () => {
  const limitsOf = createLimitsOf();
  const snapshot = snapshotWith({ failures: 3 });
  expect(limitsOf(snapshot, "clerk", "pay")).toBe(limitsOf(snapshot, "clerk", "pay"));
  expect(limitsOf(snapshotWith({ failures: 4 }), "clerk", "pay")?.bound.failures).toBe(4);
});
