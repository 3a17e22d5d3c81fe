import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { strictObject } from "../foundation/strict-json.ts";
import { type Sides, sidesOf } from "../policies/rollout.ts";
import { buildSnapshot, type Snapshot } from "../policies/snapshot.ts";
import type { Ask, Asker } from "./ask.ts";
import { firstAttempt } from "./attempt.ts";
import { createDecide } from "./decide.ts";
import { judgeAttempt } from "./judge.ts";
import { judgeAlong } from "./sides.ts";

const pause = async () => undefined;

const policyText = (rules: string) =>
  `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: house }\nspec: { rules: [${rules}] }\n`;

function policy(rules: string, version: number) {
  const { documents, problems } = parseDocuments([{ file: "p.yaml", text: policyText(rules) }]);
  const [document] = documents.policies;
  if (!document) throw new Error(JSON.stringify(problems));
  return { document, version, digest: `sha256:${version}` };
}

const registered = parseDocuments([
  {
    file: "t.yaml",
    text: `apiVersion: remit/v1\nkind: Tool\nmetadata: { name: pay }\nspec: { risk: write }
---
apiVersion: remit/v1\nkind: Agent\nmetadata: { name: clerk }\nspec: {}
`,
  },
]).documents;

/** A tenant in which the second rules are tried beside the first. */
async function trying(inForce: string, tried: string, shareBasisPoints = 0, mode: "enforce" | "observe" = "enforce") {
  return buildSnapshot(
    "t",
    {
      revisions: { security: 1n, policy: 1n },
      settings: { status: "active", mode, observeAgents: [], quotas: {}, unbudgeted: "allow" },
      policies: [policy(inForce, 1)],
      tools: registered.tools.map((document) => ({ document, digest: "sha256:t" })),
      agents: registered.agents.map((document) => ({ document, digest: "sha256:a" })),
      ...{ budgets: [], groups: [], revocations: [] },
      rollout: { id: "r-1", shareBasisPoints, policies: [policy(tried, 2)] },
    },
    undefined,
    { pause },
  );
}

const session = {
  ...{
    id: "s-1",
    tenant: "t",
    agent: "clerk",
    purpose: "",
    scope: undefined,
    labels: {},
    runId: undefined,
    details: {},
  },
  ...{
    principal: { id: "ada", verified: true, labels: {} },
    state: "open",
    parent: undefined,
    ancestors: [],
    depth: 0,
  },
  ...{ openedAtMs: 0, expiresAtMs: 1e12, openedBy: "c" },
} as const;
const asker = { session, security: 1n, caller: { id: "c", name: "desk" } } as unknown as Asker;
const ask = {
  ...{ callId: "c-1", tool: "pay", input: strictObject({ amount: 7 }, "input"), estimate: [] },
  ...{ context: strictObject({}, "context"), answers: strictObject({}, "answers") },
  ...{ schemaDigest: "", supportedConstraints: ["timeout"] },
} as unknown as Ask;

function judgeWith(snapshot: Snapshot, change: (sides: Sides) => Sides = (sides) => sides) {
  if (!snapshot.rollout) throw new Error("nothing is tried");
  const sides = change(sidesOf(snapshot, snapshot.rollout, session.id));
  const judged = judgeAttempt(sides.decides, asker, ask, firstAttempt(ask), 1_000);
  return judgeAlong(sides, judged, asker, ask, firstAttempt(ask), 1_000);
}

const ALLOW = "{ id: a, match: { tools: [pay] }, effect: allow }";
const DENY = "{ id: d, match: { tools: [pay] }, effect: deny }";

test("what differs is told with the rules of the other side, whichever decided", async () => {
  const along = judgeWith(await trying(ALLOW, DENY));
  expect(along.verdict.effect).toBe("allow");
  expect(along.rollout).toEqual({
    ...{ id: "r-1", side: "active", judged: true, versions: [{ policy: "house", version: 2 }] },
    other: { effect: "deny", code: "rule_denied", rules: [{ policy: "house", version: 2, rule: "d" }] },
  });
  const canary = judgeWith(await trying(ALLOW, DENY, 10_000));
  expect(canary.verdict.effect).toBe("deny");
  expect(canary.rollout).toMatchObject({ side: "candidate", other: { effect: "allow", rules: [{ version: 1 }] } });
});

test.each([
  ["another message", DENY, "{ id: d, match: { tools: [pay] }, effect: deny, message: Other words. }", false],
  ["another rule", ALLOW, "{ id: b, match: { tools: [pay] }, effect: allow }", false],
  ["a constraint", ALLOW, "{ id: a, match: { tools: [pay] }, effect: allow, constraints: { timeout: 3s } }", true],
  ["another code", DENY, "{ id: d, match: { tools: [other] }, effect: allow }", true],
  [
    "another input",
    `${ALLOW}, { id: t, match: { tools: [pay] }, effect: transform, set: { amount: 1 } }`,
    `${ALLOW}, { id: t, match: { tools: [pay] }, effect: transform, set: { amount: 2 } }`,
    true,
  ],
  [
    "another quorum",
    "{ id: e, match: { tools: [pay] }, effect: escalate, approval: { approvers: [ada], quorum: 1 } }",
    "{ id: e, match: { tools: [pay] }, effect: escalate, approval: { approvers: [ada, bo], quorum: 2 } }",
    true,
  ],
] as const)("%s is told or not as it changes what the caller has to do", async (_, inForce, tried, differs) => {
  expect(judgeWith(await trying(inForce, tried)).rollout.other !== undefined).toBe(differs);
});

test("of a call that is only watched it is what enforcement would answer that is compared", async () => {
  const { verdict, rollout } = judgeWith(await trying(ALLOW, DENY, 0, "observe"));
  expect(verdict).toMatchObject({ effect: "allow", mode: "observed", would: { effect: "allow" } });
  expect(rollout.other).toMatchObject({ effect: "deny", code: "rule_denied" });
});

test("a side that cannot be judged changes nothing of the answer, and it is told", async () => {
  const snapshot = await trying(ALLOW, DENY);
  const broken = (sides: Sides): Sides => ({ ...sides, other: { ...snapshot, compiled: undefined as never } });
  for (const change of [broken, (sides: Sides): Sides => ({ ...sides, other: undefined })]) {
    const { verdict, rollout } = judgeWith(snapshot, change);
    expect(verdict.effect).toBe("allow");
    expect([rollout.judged, rollout.other]).toEqual([false, undefined]);
  }
});

test("a session of the canary is refused, not decided by what is in force, while the candidate does not compile", async () => {
  const snapshot = await trying(ALLOW, DENY, 10_000);
  const rollout = snapshot.rollout && { ...snapshot.rollout, candidate: undefined };
  if (!rollout) throw new Error("nothing is tried");
  const refused = expect.objectContaining({ kind: "unavailable", reason: "policies_broken" });
  expect(() => sidesOf(snapshot, rollout, session.id)).toThrow(refused);
  const nobody = sidesOf(snapshot, { ...rollout, shareBasisPoints: 0 }, session.id);
  expect([nobody.side, nobody.other]).toEqual(["active", undefined]);
});

test("each side is judged, what it owes found and its entry written, in a turn of its own where one is full", async () => {
  const snapshot = await trying(ALLOW, DENY);
  const done: string[] = [];
  const turns = { full: true, enter: async () => void done.push("turn"), took: () => void done.push("work") };
  const decide = createDecide({
    snapshots: { current: () => snapshot, stalenessMs: () => 0 },
    ledger: { record: async () => ({ outcome: "inserted", ref: { epoch: 1n, n: 1n } }) },
    redaction: { keyed: (_snapshot: unknown, one: Ask) => one, of: () => undefined },
    breakers: { look: () => undefined },
    charging: { concerns: () => true, charge: () => void done.push("charge"), recorded: () => {} },
    ...{
      budgetFacts: () => undefined,
      clock: { now: () => 1_000 },
      newId: () => "01890000-0000-7000-8000-000000000000",
    },
    turns,
  } as never);
  const decided = await decide(async () => asker, { ...ask, minRevision: 0n, withinMs: 1_000 });
  expect(done).toEqual(["turn", "work", "turn", "work", "turn", "charge", "turn", "work"]);
  expect(decided.body).toMatchObject({ effect: "allow", rollout: { side: "active", other: { effect: "deny" } } });
});
