import { Effect } from "@remit/proto/common";
import { BreakerDefaults } from "@remit/proto/tenant";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  // One session asks for the same thing without end here, and no breaker is to mind.
  await house.clients.tenants.updateTenant({ breakers: BreakerDefaults.OFF }, { headers: bearer(house.ownerKey) });
});

afterAll(() => house.close());

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** A policy whose reading and compiling take far longer than many decisions. */
function bigPolicy(rules: number, round: number): string {
  const all = Array.from(
    { length: rules },
    (_, at) =>
      `    - { id: r${at}, match: { tools: [pay-${at}] }, effect: allow, when: 'input.amount < ${at + round} && input.to == "x"' }\n`,
  );
  return `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: big }\nspec:\n  rules:\n${all.join("")}`;
}

async function newTenant(tenant: string): Promise<string> {
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant }, { headers: bearer(house.ownerKey) });
  return ownerKey;
}

/** Decides one call after the other until it is told to stop; how many were decided at each moment can be read. */
function keepDeciding(headers: Record<string, string>) {
  let decided = 0;
  let going = true;
  const all = (async () => {
    while (going) {
      const callId = `held-up-${decided}`;
      const input = { case: "inputObject", value: {} } as const;
      const supportedConstraints = ["timeout", "maxOutputBytes"];
      const { effect } = await house.clients.decisions.decide(
        { callId, tool: "invoices.read", input, supportedConstraints },
        { headers },
      );
      expect(effect).toBe(Effect.ALLOW);
      decided++;
    }
  })();
  return {
    decided: () => decided,
    stop: async () => {
      going = false;
      await all;
    },
    /** For a test that fails on its way. */
    [Symbol.asyncDispose]: async () => {
      going = false;
      await all.catch(() => undefined);
    },
  };
}

test("decisions go on while a neighbour publishes and activates thousands of rules again and again", async () => {
  const headers = bearer(await newTenant("big"));
  const { headers: asks } = await openSession(house);
  await using deciding = keepDeciding(asks);
  const meanwhile: number[] = [];
  const during = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
    const before = deciding.decided();
    const answer = await work;
    meanwhile.push(deciding.decided() - before);
    return answer;
  };
  const { policies } = house.clients;
  for (let round = 0; round < 2; round++) {
    const files = [{ file: "big.yaml", text: bigPolicy(1_500, round) }];
    const { versions } = await during(policies.publishPolicies({ files }, { headers }));
    expect(versions[0]?.version).toBe(round + 1);
    const { active } = await during(policies.activatePolicies({ choices: [{ policy: "big" }] }, { headers }));
    expect(active[0]?.rules).toBe(1_500);
  }
  await deciding.stop();
  // Reading and compiling each take hundreds of times what a decision takes; a held loop decides one or two meanwhile.
  expect(meanwhile).toHaveLength(4);
  for (const decided of meanwhile) expect(decided).toBeGreaterThan(5);
}, 120_000);

test("what is wrong with a long file is told with its place, though another thread has read it", async () => {
  const headers = bearer(await newTenant("wrong"));
  const text = bigPolicy(300, 0).replace("match: { tools: [pay-7] }", "match: { tools: [pay-7], risks: [read] }");
  const { versions, problems } = await house.clients.policies.publishPolicies(
    { files: [{ file: "wrong.yaml", text }] },
    { headers },
  );
  expect(versions).toEqual([]);
  expect(problems.map(({ file, line, nearest }) => [file, line, nearest])).toEqual([["wrong.yaml", 13, "risk"]]);
  const warned = await house.clients.policies.publishPolicies(
    { files: [{ file: "warned.yaml", text: bigPolicy(300, 0) }], dryRun: true },
    { headers },
  );
  expect(warned.problems.slice(0, 2).map(({ file, line, column }) => [file, line, column])).toEqual([
    ["warned.yaml", 6, 34],
    ["warned.yaml", 7, 34],
  ]);
});

test("more rules than a tenant may have are refused, and what was in force stays", async () => {
  const headers = bearer(await newTenant("too-many"));
  const { policies, tenants } = house.clients;
  await tenants.updateTenant({ tenant: "too-many", quotas: { rules: 100 } }, { headers: bearer(house.ownerKey) });
  await policies.publishPolicies({ files: [{ file: "a.yaml", text: bigPolicy(90, 0) }] }, { headers });
  await policies.activatePolicies({ choices: [{ policy: "big" }] }, { headers });
  const refused = await failure(
    policies.publishPolicies({ files: [{ file: "b.yaml", text: bigPolicy(110, 0) }] }, { headers }),
  );
  expect([refused.detail.reason, refused.detail.limit]).toEqual(["quota_exceeded", "100 rules of active policies"]);
  const { versions } = await policies.listPolicies({}, { headers });
  expect(versions.map(({ rules }) => rules)).toEqual([90]);
});
