import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, startHouse } from "../support/pdp.ts";

/*
 * More policies in force than one answer tells.
 */

let house: House;
let headers: { readonly authorization: string };

beforeAll(async () => {
  house = await startHouse();
  headers = { authorization: `Bearer ${house.ownerKey}` };
});

afterAll(() => house.close());

const COUNT = 260;
const AT_ONCE = 60;
// Long, so that few of them fill an answer.
const names = Array.from({ length: COUNT }, (_, at) => `p${String(at).padStart(3, "0")}-${"x".repeat(115)}`);
const text = (name: string) =>
  `{ apiVersion: remit/v1, kind: Policy, metadata: { name: ${name}, owner: o }, spec: { rules: [{ id: r, match: { tools: [t] }, effect: deny, message: no }] } }`;

test("an answer tells as much of what is in force as it may, what was named before the others, and how many more there are", async () => {
  const { policies } = house.clients;
  for (let from = 0; from < COUNT; from += AT_ONCE) {
    const files = names.slice(from, from + AT_ONCE).map((name, at) => ({ file: `${at}.yaml`, text: text(name) }));
    await policies.publishPolicies({ files }, { headers });
  }
  const all = await policies.activatePolicies({ choices: names.map((policy) => ({ policy })) }, { headers });
  expect(all.active.map(({ policy }) => policy)).toEqual(names.slice(0, all.active.length));
  expect(all.activeMore).toBeGreaterThan(0);
  expect(all.active.length + all.activeMore).toBe(COUNT);

  const last = names.at(-1) ?? "";
  const again = await policies.activatePolicies({ choices: [{ policy: last }] }, { headers });
  const told = again.active.map(({ policy }) => policy);
  expect(told.at(-1)).toBe(last);
  expect(told).toEqual([...told].sort());
  expect(told.length + again.activeMore).toBe(COUNT);

  const some = await policies.deactivatePolicies({ policies: names.slice(2) }, { headers });
  expect(some.active.map(({ policy }) => policy)).toEqual(names.slice(0, 2));
  expect(some.activeMore).toBe(0);
});
