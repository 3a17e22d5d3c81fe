import { Change } from "@remit/proto/admin";
import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";
import { plainBodies } from "../support/plain-bodies.ts";

/*
 * What was registered or declared and is taken away again.
 */

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

let calls = 0;
const decide = () => readInvoice(house, headers, `c-${++calls}`);

test("a policy is taken out of force for the next call, and its versions stay", async () => {
  const { policies } = house.clients;
  const { versions, revision } = await policies.listPolicies({}, { headers });
  const names = versions.filter(({ state }) => state === "active").map(({ policy }) => policy);
  expect((await decide()).effect).toBe(Effect.ALLOW);

  const stale = policies.deactivatePolicies({ policies: names, expectedRevision: revision + 1n }, { headers });
  expect(await failure(stale)).toMatchObject({ code: "Aborted", detail: { reason: "revision_conflict" } });
  const unknown = policies.deactivatePolicies({ policies: [...names, "nothing"] }, { headers });
  expect(await failure(unknown)).toMatchObject({ code: "NotFound", detail: { reason: "policy_unknown" } });
  expect((await decide()).effect).toBe(Effect.ALLOW);

  const answer = await policies.deactivatePolicies({ policies: names, expectedRevision: revision }, { headers });
  expect(answer.active).toEqual([]);
  expect(answer.revision).toBe(revision + 1n);
  expect(await decide()).toMatchObject({ effect: Effect.DENY, reason: { code: "no_rule_matched" } });
  expect((await policies.listPolicies({}, { headers })).versions).toHaveLength(versions.length);

  const twice = policies.deactivatePolicies({ policies: names }, { headers });
  expect(await failure(twice)).toMatchObject({ code: "NotFound", detail: { reason: "policy_unknown" } });
  await policies.activatePolicies({ choices: names.map((policy) => ({ policy })) }, { headers });
  expect((await decide()).effect).toBe(Effect.ALLOW);
});

const document = (kind: string, name: string, spec: string) => ({
  file: `${name}.yaml`,
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
});

/** How many changes the ledger tells of. */
async function changes(): Promise<number> {
  const bodies = await plainBodies(house, "kind = 'admin'");
  return bodies.filter((body) => "change" in JSON.parse(body)).length;
}

test("a budget is declared, listed, replaced, deleted, and every change is an entry", async () => {
  const { budgets } = house.clients;
  const before = await changes();
  const spec =
    '{ unit: EUR, limit: "500.00", window: day, timeZone: Europe/Berlin, owner: { team: finance }, per: [principal, input.customer_id] }';
  const dry = await budgets.putBudget({ document: document("Budget", "refunds", spec), dryRun: true }, { headers });
  expect(dry).toMatchObject({ problems: [], change: Change.CREATED });
  expect((await budgets.listBudgets({}, { headers })).budgets).toEqual([]);

  const put = await budgets.putBudget({ document: document("Budget", "refunds", spec) }, { headers });
  expect(put.revision).toBe(dry.revision + 1n);
  expect(put.budget).toMatchObject({
    ...{ name: "refunds", window: "day", timeZone: "Europe/Berlin", ownerKind: "team", owner: "finance" },
    ...{ limit: { unit: "EUR", value: "500.00" }, enforcement: "hard", per: ["principal", "input.customer_id"] },
    enforced: true,
  });
  expect((await budgets.listBudgets({}, { headers })).budgets).toEqual([put.budget]);
  const again = await budgets.putBudget({ document: document("Budget", "refunds", spec) }, { headers });
  expect(again).toMatchObject({ change: Change.NONE, revision: put.revision });
  const lower = document("Budget", "refunds", spec.replace("500.00", "50").replace("per:", "enforcement: soft, per:"));
  expect(await budgets.putBudget({ document: lower }, { headers })).toMatchObject({
    ...{ change: Change.REPLACED, budget: { limit: { value: "50" }, enforcement: "soft" } },
  });
  // What was spent of it stays what it was spent of.
  const other = { document: document("Budget", "refunds", spec.replace("day", "week")), dryRun: true };
  expect(await failure(budgets.putBudget(other, { headers }))).toMatchObject({
    ...{ code: "InvalidArgument", detail: { reason: "request_invalid", field: "spec.window" } },
  });

  const wrong = await budgets.putBudget(
    { document: document("Budget", "refunds", "{ unit: EUR, limit: 5 }") },
    { headers },
  );
  expect(wrong.problems.map(({ message, code }) => [code, message])).toEqual([
    ["value_invalid", "`5` is not valid here"],
    ["key_missing", "`window` is missing"],
  ]);
  await budgets.deleteBudgets({ names: ["refunds"], dryRun: true }, { headers });
  await budgets.deleteBudgets({ names: ["refunds"] }, { headers });
  expect((await budgets.listBudgets({}, { headers })).budgets).toEqual([]);
  expect(await failure(budgets.deleteBudgets({ names: ["refunds"] }, { headers }))).toMatchObject({
    ...{ code: "NotFound", detail: { reason: "budget_unknown", field: "names" } },
  });
  expect(await changes()).toBe(before + 3);
});

test("a group is declared, listed and deleted", async () => {
  const { groups } = house.clients;
  const before = await changes();
  const put = await groups.putGroup({ document: document("Group", "leads", "{ members: [ada, mia] }") }, { headers });
  expect(put).toMatchObject({ change: Change.CREATED, group: { name: "leads", members: ["ada", "mia"] } });
  expect((await groups.listGroups({}, { headers })).groups).toEqual([put.group]);
  const twice = await groups.putGroup({ document: document("Group", "leads", "{ members: [ada, ada] }") }, { headers });
  expect(twice.problems).toMatchObject([{ code: "given_twice", line: 4 }]);
  await groups.deleteGroups({ names: ["leads"] }, { headers });
  expect((await groups.listGroups({}, { headers })).groups).toEqual([]);
  expect(await changes()).toBe(before + 2);
});

test("tools and agents that are deleted are denied from then on, all of a request or none", async () => {
  const { tools, agents } = house.clients;
  const before = await tools.listTools({}, { headers });
  const some = tools.deleteTools({ names: ["invoices.read", "invoices.raed"] }, { headers });
  expect(await failure(some)).toMatchObject({ detail: { reason: "tool_unknown" } });
  expect((await decide()).effect).toBe(Effect.ALLOW);
  const { revision } = await tools.deleteTools({ names: ["invoices.read"] }, { headers });
  expect(revision).toBeGreaterThan(0n);
  expect(await decide()).toMatchObject({ effect: Effect.DENY, reason: { code: "tool_unknown" } });
  expect((await tools.listTools({}, { headers })).tools).toHaveLength(before.tools.length - 1);
  await tools.putTool({ document: document("Tool", "invoices.read", "{ risk: read }") }, { headers });
  expect((await decide()).effect).toBe(Effect.ALLOW);
  await agents.deleteAgents({ names: ["clerk"] }, { headers });
  expect(await decide()).toMatchObject({ effect: Effect.DENY, reason: { code: "agent_suspended" } });
});
