import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { type House, startHouse } from "../support/pdp.ts";

let house: House;

beforeAll(async () => {
  house = await startHouse();
});

afterAll(() => house.close());

const headers = () => ({ authorization: `Bearer ${house.ownerKey}` });

/** A document of one comment, in a body of so many bytes. */
async function post(bytes: number) {
  const bodyOf = (text: string) => JSON.stringify({ files: [{ file: "a.yaml", text }], dryRun: true });
  const body = bodyOf("#".repeat(bytes - bodyOf("").length));
  const response = await fetch(`http://${house.pdp.adminAddress}/remit.v1.PolicyService/PublishPolicies`, {
    ...{ method: "POST", headers: { ...headers(), "content-type": "application/json" }, body },
  });
  return { status: response.status, text: await response.text() };
}

test("a message in JSON to the admin plane may be as long as the limit, and the refusal of a longer one names another way", async () => {
  const most = limits.adminJsonBytesMax;
  expect((await post(most)).text).not.toContain("message_too_large");
  const over = await post(most + 1);
  expect(over.status).toBe(429);
  for (const said of ["message_too_large", `adminJsonBytesMax: ${most} bytes`, "application/proto"]) {
    expect(over.text).toContain(said);
  }
});

test("what is too long in JSON is read as protobuf's bytes", async () => {
  const text = "#".repeat(2 * limits.adminJsonBytesMax);
  const asked = { files: [{ file: "a.yaml", text }], dryRun: true };
  await expect(house.clients.policies.publishPolicies(asked, { headers: headers() })).rejects.toMatchObject({
    rawMessage: "the files hold no document of kind Policy",
  });
});

test("what is too long for the admin plane in any form is refused by the limit of that plane", async () => {
  const most = limits.adminMessageBytesMax;
  const response = await fetch(`http://${house.pdp.adminAddress}/remit.v1.PolicyService/PublishPolicies`, {
    ...{ method: "POST", headers: { ...headers(), "content-type": "application/proto" } },
    body: new Uint8Array(most + 1),
  });
  expect(response.status).toBe(429);
  expect(await response.text()).toContain(`adminMessageBytesMax: ${most} bytes`);
});
