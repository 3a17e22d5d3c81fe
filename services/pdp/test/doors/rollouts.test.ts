import { Effect } from "@remit/proto/common";
import type { DecideResponse } from "@remit/proto/decision";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * Versions that are tried beside those in force: judged along, deciding for a share of the sessions, and then promoted or
 * called off. Two replicas on one database.
 */

let house: House;
let second: House;
let owner: { readonly authorization: string };

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  const { database, config, ownerKey } = house;
  second = await startHouse({ database, config, ownerKey });
  owner = { authorization: `Bearer ${ownerKey}` };
});

afterAll(async () => {
  await second.close();
  await house.close();
});

const policy = (rules: string) => `apiVersion: remit/v1
kind: Policy
metadata: { name: house, owner: finance }
spec: { rules: [${rules}] }
`;

const READS = "{ id: reads, match: { tools: [invoices.read] }, effect: allow }";
const NO_READS = "{ id: no-reads, match: { tools: [invoices.read] }, effect: deny, message: Not today. }";
const WRITES = "{ id: writes, match: { tools: [fs.write_file] }, effect: allow }";

async function publish(rules: string): Promise<number> {
  const { policies } = house.clients;
  const { versions, problems } = await policies.publishPolicies(
    { files: [{ file: "house.yaml", text: policy(rules) }] },
    { headers: owner },
  );
  if (!versions[0]) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  return versions[0].version;
}

const activate = (version: number) =>
  house.clients.policies.activatePolicies({ choices: [{ policy: "house", version }] }, { headers: owner });

const inForce = async () => {
  const { versions } = await house.clients.policies.listPolicies({}, { headers: owner });
  return versions.find(({ state }) => state === "active")?.version;
};

/** What is in force at the start of every test, and what is tried. */
let base = 0;
let tried = 0;

beforeEach(async () => {
  await house.clients.rollouts.abortRollout({}, { headers: owner }).catch(() => undefined);
  base = await publish(`${READS}, ${WRITES}`);
  tried = await publish(`${NO_READS}, ${WRITES}`);
  await activate(base);
});

const start = (shareBasisPoints = 0, version = tried) =>
  house.clients.rollouts.startRollout(
    { choices: [{ policy: "house", version }], shareBasisPoints },
    { headers: owner },
  );

let calls = 0;
const decideAt =
  (at: House, headers: Readonly<Record<string, string>>, tool = "invoices.read") =>
  (callId = `call-${++calls}`, minRevision = 0n): Promise<DecideResponse> =>
    at.clients.decisions.decide(
      { callId, tool, minRevision, input: { case: "inputObject", value: { path: "/workspace/a" } } },
      { headers },
    );

const bodyOf = async ({ decisionId }: DecideResponse) => {
  const { decision } = await house.clients.ledger.getDecision({ decisionId }, { headers: owner });
  return decision?.body as Record<string, unknown>;
};

test("while a version is only tried what is in force decides, and a decision tells where they differ", async () => {
  const { headers } = await openSession(house);
  const before = await decideAt(house, headers)();
  expect([before.effect, before.rollout]).toEqual([Effect.ALLOW, undefined]);
  const { rollout, revision } = await start();
  expect(rollout).toMatchObject({
    ...{ shareBasisPoints: 0, endedAs: "", problem: "", startedBy: { name: "owner" } },
    versions: [{ policy: "house", version: tried, baseVersion: base }],
  });

  for (const at of [house, second]) {
    const differs = await decideAt(at, headers)(undefined, revision);
    expect(differs).toMatchObject({ effect: Effect.ALLOW, policyDigest: before.policyDigest });
    expect(differs.rules).toMatchObject([{ policy: "house", version: base, rule: "reads" }]);
    expect(differs.rollout).toMatchObject({
      ...{ id: rollout?.id, canary: false, judged: true, versions: [{ policy: "house", version: tried }] },
      other: { effect: Effect.DENY, code: "rule_denied", rules: [{ version: tried, rule: "no-reads" }] },
    });
    expect((await bodyOf(differs)).rollout).toMatchObject({
      ...{ id: rollout?.id, side: "active" },
      other: { effect: "deny", code: "rule_denied", rules: [{ policy: "house", version: tried, rule: "no-reads" }] },
    });
  }
  const same = await decideAt(house, headers, "fs.write_file")();
  expect(same).toMatchObject({ effect: Effect.ALLOW, rollout: { judged: true } });
  expect(same.rollout?.other).toBeUndefined();

  const tally = await house.clients.rollouts.tallyRollout({}, { headers: owner });
  expect(tally).toMatchObject({ judged: 3n, unjudged: 0n, canary: 0n, nextPageToken: "" });
  expect(tally.differences).toMatchObject([
    { from: Effect.ALLOW, to: Effect.DENY, fromCode: "rule_allowed", toCode: "rule_denied", calls: 2n },
  ]);
  expect(tally.differences[0]?.decisionIds).toHaveLength(2);
  const { ledger } = house.clients;
  const listed = await ledger.listDecisions({ rolloutId: rollout?.id ?? "" }, { headers: owner });
  expect(listed.decisions.map(({ id }) => id)).toContain(same.decisionId);
  const differing = await ledger.listDecisions({ rolloutId: rollout?.id ?? "", differs: true }, { headers: owner });
  expect(differing.decisions.map(({ id }) => id)).toEqual(tally.differences[0]?.decisionIds);
  const page = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/remit_candidate_differs_total\{from="allow",to="deny"\} 1/);
});

test("what a call was answered before is answered again, whatever is tried since", async () => {
  const { headers } = await openSession(house);
  const first = await decideAt(house, headers)("kept");
  await start(10_000);
  const again = await decideAt(house, headers)("kept");
  expect(again).toMatchObject({ decisionId: first.decisionId, replayed: true, effect: Effect.ALLOW });
  expect(again.rollout).toBeUndefined();
  expect(await decideAt(house, headers)()).toMatchObject({ effect: Effect.DENY, rollout: { canary: true } });
});

test("a canary decides for its sessions alone, the same ones on every replica, and a greater share lets none out", async () => {
  const opened = await Promise.all(Array.from({ length: 24 }, () => openSession(house)));
  const { rollout, revision: started } = await start(3_000);
  const sides = async (minRevision: bigint) => {
    const answers = await Promise.all(
      opened.flatMap(({ headers }) => [house, second].map((at) => decideAt(at, headers)(undefined, minRevision))),
    );
    for (const { effect, rollout: note, rules, policyDigest } of answers) {
      expect(effect).toBe(note?.canary ? Effect.DENY : Effect.ALLOW);
      expect(rules[0]?.version).toBe(note?.canary ? tried : base);
      expect(note?.other?.effect).toBe(note?.canary ? Effect.ALLOW : Effect.DENY);
      expect(policyDigest === answers.find((one) => one.rollout?.canary)?.policyDigest).toBe(note?.canary);
    }
    const canary = answers.map((one) => one.rollout?.canary ?? false);
    const [here, there] = [0, 1].map((odd) => canary.filter((_, at) => at % 2 === odd));
    expect(here).toEqual(there);
    return here ?? [];
  };
  const few = await sides(started);
  const raised = await house.clients.rollouts.setRolloutShare({ shareBasisPoints: 7_500 }, { headers: owner });
  const more = await sides(raised.revision);
  few.forEach((was, at) => {
    if (was) expect(more[at]).toBe(true);
  });
  const counted = await house.clients.rollouts.tallyRollout({ rolloutId: rollout?.id ?? "" }, { headers: owner });
  expect(counted.judged).toBe(96n);
  expect(counted.canary).toBe(BigInt(2 * [...few, ...more].filter(Boolean).length));
  expect(counted.differences).toMatchObject([{ from: Effect.ALLOW, to: Effect.DENY, calls: 96n }]);

  const lowered = house.clients.rollouts.setRolloutShare({ shareBasisPoints: 7_499 }, { headers: owner });
  expect(await failure(lowered)).toMatchObject({ detail: { reason: "rollout_share_lowered" } });
  const whole = await house.clients.rollouts.setRolloutShare({ shareBasisPoints: 10_000 }, { headers: owner });
  expect((await sides(whole.revision)).every(Boolean)).toBe(true);
  const beyond = house.clients.rollouts.setRolloutShare({ shareBasisPoints: 10_001 }, { headers: owner });
  expect((await failure(beyond)).code).toBe("InvalidArgument");
});

test("a call that a canary has paused goes on by the canary", async () => {
  const ask = `{ id: why, match: { tools: [invoices.read] }, effect: clarify, unless: present(answers.why),
    questions: [{ id: why, type: string, ask: Why? }] }`;
  await start(10_000, await publish(`${ask}, ${WRITES}`));
  const { headers } = await openSession(house);
  const asked = await decideAt(house, headers)("paused");
  expect(asked).toMatchObject({ effect: Effect.CLARIFY, rollout: { canary: true, other: { effect: Effect.ALLOW } } });
  const answered = await second.clients.decisions.decide(
    {
      ...{ callId: "paused", tool: "invoices.read", minRevision: asked.revision },
      input: { case: "inputObject", value: { path: "/workspace/a" } },
      answers: { case: "answersObject", value: { why: "the audit" } },
    },
    { headers },
  );
  expect(answered).toMatchObject({ attempt: 2, effect: Effect.ALLOW, reason: { code: "clarified" } });
  expect(answered.rollout).toMatchObject({ canary: true, other: { effect: Effect.ALLOW, code: "rule_allowed" } });
});

test("a promotion puts the versions in force in one revision, and the history says so", async () => {
  const { headers } = await openSession(house);
  const { revision } = await start();
  const { rollouts, policies } = house.clients;
  const stale = rollouts.promoteRollout({ expectedRevision: revision + 5n }, { headers: owner });
  expect(await failure(stale)).toMatchObject({ detail: { reason: "revision_conflict", limit: `${revision}` } });
  const promoted = await rollouts.promoteRollout({ expectedRevision: revision }, { headers: owner });
  expect(promoted).toMatchObject({
    revision: revision + 1n,
    rollout: { endedAs: "promoted", endedBy: { name: "owner" } },
  });
  const after = await decideAt(second, headers)(undefined, promoted.revision);
  expect(after).toMatchObject({ effect: Effect.DENY, policyDigest: promoted.policyDigest });
  expect(after.rollout).toBeUndefined();
  const shown = await policies.getPolicies({ choices: [{ policy: "house", version: tried }] }, { headers: owner });
  expect(shown.policies[0]?.version?.activations.at(-1)).toMatchObject({ cause: "promoted", by: { name: "owner" } });
  const again = rollouts.promoteRollout({}, { headers: owner });
  expect(await failure(again)).toMatchObject({ detail: { reason: "rollout_missing" } });
  await policies.rollbackPolicies({ choices: [{ policy: "house" }] }, { headers: owner });
  expect(await inForce()).toBe(base);
});

test("a rollout that is called off decides nothing any more", async () => {
  const { headers } = await openSession(house);
  await start(10_000);
  expect((await decideAt(house, headers)()).effect).toBe(Effect.DENY);
  const { rollout, revision } = await house.clients.rollouts.abortRollout({}, { headers: owner });
  expect(rollout?.endedAs).toBe("aborted");
  const after = await decideAt(second, headers)(undefined, revision);
  expect([after.effect, after.rollout]).toEqual([Effect.ALLOW, undefined]);
});

test("a change by name of what is tried ends the rollout in the same revision", async () => {
  const { policies, rollouts } = house.clients;
  const other = await publish(`${READS}`);
  const changes = [
    () => activate(other),
    () => policies.rollbackPolicies({ choices: [{ policy: "house" }] }, { headers: owner }),
    () => policies.deactivatePolicies({ policies: ["house"] }, { headers: owner }),
  ];
  for (const change of changes) {
    const { rollout } = await start(10_000);
    const { headers } = await openSession(house);
    const { revision } = await change();
    expect((await decideAt(second, headers)(undefined, revision)).rollout).toBeUndefined();
    // What is outdated is not promoted.
    const late = rollouts.promoteRollout({ rolloutId: rollout?.id ?? "" }, { headers: owner });
    expect(await failure(late)).toMatchObject({ code: "NotFound", detail: { reason: "rollout_missing" } });
    await expect(late).rejects.toThrow("ended when its policies were changed");
  }
  expect(await inForce()).toBeUndefined();
});

test("a tenant has one rollout at a time, of versions that fit, are no drafts, and are not in force", async () => {
  const begin = (choices: { policy: string; version?: number }[]) =>
    house.clients.rollouts.startRollout({ choices }, { headers: owner });
  expect(await failure(start(0, base))).toMatchObject({ code: "InvalidArgument" });
  expect(await failure(begin([{ policy: "nothing" }]))).toMatchObject({ detail: { reason: "policy_unknown" } });
  const text = `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: rough }\nspec: { rules: [${READS}] }\n`;
  const files = [{ file: "p.yaml", text }];
  await house.clients.policies.publishPolicies({ files, draft: true }, { headers: owner });
  expect(await failure(begin([{ policy: "rough" }]))).toMatchObject({ detail: { reason: "policy_draft" } });
  const both = await Promise.allSettled([start(), start()]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await failure(start())).toMatchObject({ detail: { reason: "rollout_exists" } });
});

test("a tool that the tried versions do not fit is refused while they decide for anybody", async () => {
  const tool = (properties: string) => ({
    document: {
      file: "tool.yaml",
      text: `apiVersion: remit/v1
kind: Tool
metadata: { name: fitted.tool }
spec: { risk: read, inputSchema: { type: object, additionalProperties: false, properties: { ${properties} } } }
`,
    },
  });
  const { tools } = house.clients;
  await tools.putTool(tool("id: { type: number }"), { headers: owner });
  const fits = await publish(
    `${READS}, { id: fits, match: { tools: [fitted.tool] }, effect: allow, when: input.id > 1 }`,
  );
  const { rollout } = await start(5_000, fits);
  const refused = await tools.putTool(tool("name: { type: string }"), { headers: owner });
  expect(refused.problems.length).toBeGreaterThan(0);
  await house.clients.rollouts.abortRollout({ rolloutId: rollout?.id ?? "" }, { headers: owner });

  // Where they decide for nobody it is taken, and the rollout says what is wrong with it.
  await start(0, fits);
  const taken = await tools.putTool(tool("name: { type: string }"), { headers: owner });
  expect(taken.problems).toEqual([]);
  const shown = await house.clients.rollouts.getRollout({}, { headers: owner });
  expect(shown.rollout?.problem).toContain("id");
  for (const change of [
    () => house.clients.rollouts.promoteRollout({}, { headers: owner }),
    () => house.clients.rollouts.setRolloutShare({ shareBasisPoints: 1 }, { headers: owner }),
  ]) {
    expect(await failure(change())).toMatchObject({ detail: { reason: "policy_invalid" } });
  }
});

test("a rollout outlives a restart, and sessions keep their sides", async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => openSession(house)));
  const { revision } = await start(5_000);
  const sidesAt = (at: House) =>
    Promise.all(opened.map(async ({ headers }) => (await decideAt(at, headers)(undefined, revision)).rollout?.canary));
  const before = await sidesAt(second);
  await second.close();
  const { database, config, ownerKey } = house;
  second = await startHouse({ database, config, ownerKey });
  expect(await sidesAt(second)).toEqual(before);
});
