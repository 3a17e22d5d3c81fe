import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";

/*
 * What was registered and is taken away again.
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
const decide = () =>
  house.clients.decisions.decide(
    {
      callId: `c-${++calls}`,
      tool: "invoices.read",
      input: { case: "inputObject", value: { id: "INV-7" } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    },
    { headers },
  );

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
