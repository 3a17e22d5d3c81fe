import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";

let house: House;
let ada: Record<string, string>;
let bob: Record<string, string>;
let eve: Record<string, string>;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function keyOf(name: string, roles: string[], by = bearer(house.ownerKey)) {
  return bearer((await house.clients.callers.createKey({ name, roles }, { headers: by })).key);
}

const policy = (rules: string) =>
  `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: house }\nspec: { rules: [${rules}] }\n`;

async function publish(rules: string): Promise<number> {
  const { versions } = await house.clients.policies.publishPolicies(
    { files: [{ file: "p", text: policy(rules) }] },
    { headers: ada },
  );
  return versions[0]?.version ?? 0;
}

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  [ada, bob, eve] = await Promise.all([keyOf("ada", ["owner"]), keyOf("bob", ["owner"]), keyOf("eve", ["viewer"])]);
  await house.clients.tenants.updateTenant({ people: 2 }, { headers: ada });
});

afterAll(() => house.close());

const activation = "remit.v1.PolicyService/ActivatePolicies";

test("where two people are needed, an activation is refused, proposed, approved by another, and in force", async () => {
  const { policies, changes } = house.clients;
  const version = await publish('{ id: all, match: { tools: ["*"] }, effect: allow }');
  const choices = [{ policy: "house", version }];
  expect(await failure(policies.activatePolicies({ choices }, { headers: ada }))).toMatchObject({
    code: "FailedPrecondition",
    detail: { reason: "change_needs_approval" },
  });
  const { change } = await changes.proposeChange({ method: activation, message: { choices } }, { headers: ada });
  expect(change).toMatchObject({ state: "proposed", method: activation, people: 2, approvals: [] });
  expect(change?.rows).toMatchObject([
    {
      table: "active_policy",
      was: '{"policy":"house","version":1}',
      becomes: `{"policy":"house","version":${version}}`,
    },
  ]);
  const changeId = change?.id ?? "";
  const digest = change?.digest ?? "";
  expect(await failure(changes.approveChange({ changeId, digest }, { headers: ada }))).toMatchObject({
    code: "PermissionDenied",
    detail: { reason: "change_same_person" },
  });
  expect(await failure(changes.approveChange({ changeId, digest }, { headers: eve }))).toMatchObject({
    detail: { reason: "role_missing" },
  });
  const approved = await changes.approveChange({ changeId, digest }, { headers: bob });
  expect(approved.change).toMatchObject({ state: "applied", approvals: [{ by: { name: "bob" } }] });
  expect(approved.revision).toBeGreaterThan(0n);
  const { versions } = await policies.listPolicies({}, { headers: eve });
  const active = versions.find(({ state }) => state === "active");
  expect(active).toMatchObject({ version, activations: [{ by: { name: "ada" } }] });
});
