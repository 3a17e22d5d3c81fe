import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";

/*
 * The versions of policies, as those see them who write and approve them.
 */

let house: House;
let headers: { readonly authorization: string };

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  headers = { authorization: `Bearer ${house.ownerKey}` };
});

afterAll(() => house.close());

const text = (name: string, message: string) => `# why it is so stands here
apiVersion: remit/v1
kind: Policy
metadata: { name: ${name}, owner: finance }
spec: { rules: [{ id: never, match: { tools: [records.delete] }, effect: deny, message: ${message} }] }
`;

const publish = (name: string, message: string) =>
  house.clients.policies.publishPolicies({ files: [{ file: "p.yaml", text: text(name, message) }] }, { headers });

test("versions are answered whole, in the order asked for, several of one policy too", async () => {
  const { policies } = house.clients;
  await publish("records", "first");
  await publish("records", "second");
  const choices = [{ policy: "records" }, { policy: "records", version: 1 }, { policy: "house" }];
  const answer = await policies.getPolicies({ choices }, { headers });
  expect(answer.policies.map(({ version }) => [version?.policy, version?.version, version?.state])).toEqual([
    ["records", 2, "validated"],
    ["records", 1, "validated"],
    ["house", 1, "active"],
  ]);
  expect(answer.policies.map(({ source }) => source).slice(0, 2)).toEqual([
    text("records", "second"),
    text("records", "first"),
  ]);
  const [newest] = answer.policies;
  expect(JSON.parse(newest?.document ?? "").spec.rules).toMatchObject([{ id: "never", message: "second" }]);
  const listed = await policies.listPolicies({}, { headers });
  expect(newest?.version?.digest).toBe(
    listed.versions.find(({ policy, version }) => policy === "records" && version === 2)?.digest,
  );
  expect([answer.revision, answer.policyDigest]).toEqual([listed.revision, listed.policyDigest]);
});

test("without choices what is in force is answered", async () => {
  const { policies } = await house.clients.policies.getPolicies({}, { headers });
  expect(policies.map(({ version }) => [version?.policy, version?.state])).toEqual([["house", "active"]]);
});

test("a version that does not exist is named, and too many are refused", async () => {
  const { policies } = house.clients;
  const unknown = policies.getPolicies(
    { choices: [{ policy: "house" }, { policy: "house", version: 9 }] },
    { headers },
  );
  expect(await failure(unknown)).toMatchObject({ code: "NotFound", detail: { reason: "policy_unknown" } });
  await expect(unknown).rejects.toThrow("house version 9");
  const many = policies.getPolicies({ choices: Array.from({ length: 65 }, () => ({ policy: "house" })) }, { headers });
  expect(await failure(many)).toMatchObject({ code: "InvalidArgument", detail: { limit: "64 versions" } });
});
