import type { JsonObject } from "@remit/engine";
import { completeFacts, parseDocuments, runPolicyTests } from "@remit/engine";
import { expect, test } from "vitest";
import { decisionTest } from "./decision-test.ts";

const policy = (most: number) => `apiVersion: remit/v1
kind: Tool
metadata: { name: pay }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Policy
metadata: { name: p }
spec:
  rules:
    - { id: small, match: { tools: [pay] }, when: input.amount < ${most}, effect: allow, constraints: { timeout: 90s } }
    - id: large
      match: { tools: [pay] }
      when: input.amount >= ${most}
      effect: escalate
      approval: { approvers: ["group:leads"], quorum: 2, expires: 15m, summary: Much money }
      message: Ask first.
    - { id: often, match: { tools: [pay] }, when: session.calls > 5, effect: deny }
`;
const { documents } = parseDocuments([{ file: "p.yaml", text: policy(100) }]);
const { agent, principal, session, caller } = completeFacts({}) as unknown as Record<string, JsonObject>;

/** An entry as the ledger has it. */
const body = (rest: JsonObject): JsonObject => ({
  ...{ kind: "decision", v: 1, id: "d1", tool: "pay", at: "2026-03-01T08:00:00Z", attempt: 1, mode: "enforced" },
  ...{ agent: agent ?? {}, principal: principal ?? {}, session: session ?? {}, caller: caller ?? {} },
  ...{
    scopes: [{ tools: ["*"] }],
    call: { id: "c1", estimate: [], schema_digest: "sha256:00" },
    answers: {},
    context: {},
  },
  supported_constraints: ["timeout"],
  ...{ constraints: [], unknowns: [], rules: [] },
  ...rest,
});
const rule = (id: string) => ({ policy: "p", version: 3, rule: id });
const allowed = body({
  ...{ effect: "allow", reason: { code: "rule_allowed", message: "Allowed.", retryable: false } },
  ...{ rules: [rule("small")], constraints: [{ name: "timeout", durationMs: 90_000 }] },
  input: { amount: 40, note: "a [list {that is not closed\n" },
});
const escalated = body({
  ...{ effect: "escalate", reason: { code: "approval_required", message: "Ask first.", retryable: true } },
  ...{ rules: [rule("large")], input: { amount: 400 } },
  approval: {
    state: "pending",
    requirements: [{ rule: rule("large"), approvers: ["group:leads"], quorum: 2, expiresSeconds: 900 }],
  },
});
const { calls: _, ...uncounted } = session ?? {};
const doubtful = body({
  ...{ effect: "deny", session: uncounted, rules: [rule("often")], input: { amount: 40 } },
  reason: { code: "evaluation_error", message: "x", retryable: false },
  unknowns: [{ rule: rule("often"), why: "y" }],
});

const ran = async (entry: JsonObject, most = 100) => {
  const text = await decisionTest("d1", entry);
  const changed = parseDocuments([{ file: "p.yaml", text: policy(most) }]).documents;
  return runPolicyTests([{ file: "t_test.yaml", text }], changed);
};

test("a decision is a case that passes on the policies that decided it, and fails on others", async () => {
  for (const entry of [allowed, escalated]) expect(await ran(entry)).toMatchObject({ passed: 1, failed: [] });
  expect((await ran(allowed, 10)).failed[0]?.differences[0]).toEqual({
    what: "effect",
    expected: "allow",
    actual: "escalate",
  });
  expect((await ran(escalated, 1000)).failed).toHaveLength(1);
  expect(documents.policies).toHaveLength(1);
});

test("what an entry keeps of a long scope is enough for a case, and looking at it takes what all of it took", async () => {
  const part = (tools: number) => ({
    ...{ tools: ["p*"], bounds: [{ tool: "pay", path: "input.amount", max: 50 }], disclose: true },
    partOf: { digest: `sha256:${"0".repeat(64)}`, tools, bounds: 200 },
  });
  expect(await ran(body({ ...allowed, scopes: [part(256)] }))).toMatchObject({ passed: 1, failed: [] });
  const denied = body({
    ...{ effect: "deny", scopes: [part(256)], input: { amount: 51 } },
    reason: {
      ...{ code: "scope_exceeded", remedy: "Allowed: at most 50.", retryable: false },
      message: "The call exceeds what this session may do: input.amount exceeds its bound max.",
    },
  });
  expect(await ran(denied)).toMatchObject({ passed: 1, failed: [] });
  expect((await ran(body({ ...allowed, scopes: [part(99_799)] }))).failed).toHaveLength(1);
});

test("what nobody counted then is not counted in the case either", async () => {
  const [failure] = (await ran(doubtful)).failed;
  expect(failure?.differences.map(({ what }) => what)).toEqual(["message"]);
});

test.each<[string, JsonObject, string]>([
  [
    "redacts",
    body({ ...allowed, input: { card: { no: { redacted: "hmac-sha256:1", key: "k" } } } }),
    "redacts input.card.no",
  ],
  ["was erased", { erased: true }, "was erased"],
  ["has no input", body({ ...allowed, input: null }), "does not say what was asked"],
  ["was ended", body({ ...allowed, reason: { code: "session_closed" } }), "session_closed is not what policies say"],
  [
    "is too deep",
    body({ ...allowed, input: JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`) }),
    "nested too deeply",
  ],
])("a decision that %s is none, and it is said why", async (_name, entry, why) => {
  await expect(decisionTest("d1", entry)).rejects.toThrow(why);
});
