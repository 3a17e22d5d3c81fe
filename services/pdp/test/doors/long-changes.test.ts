import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let house: House;
let ada: Record<string, string>;
let bob: Record<string, string>;
beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  const owner = { headers: bearer(house.ownerKey) };
  const keyOf = async (name: string) =>
    bearer((await house.clients.callers.createKey({ name, roles: ["owner"] }, owner)).key);
  [ada, bob] = [await keyOf("ada"), await keyOf("bob")];
  await house.clients.tenants.updateTenant({ people: 2 }, { headers: ada });
});
afterAll(() => house.close());

test("a long change is proposed and approved as a short one is, and one that is too long is refused by its limit", async () => {
  const { changes } = house.clients;
  const proposed = (risk: string, chars: number) => {
    const text = `apiVersion: remit/v1\nkind: Tool\nmetadata: { name: long }\nspec: { risk: ${risk} }\n${"# ä: €\n".repeat(chars / 7)}`;
    const message = { document: { file: "tool.yaml", text } };
    return changes.proposeChange({ method: "remit.v1.ToolService/PutTool", message }, { headers: ada });
  };
  const { change } = await proposed("read", 500_000);
  const request = change?.request ?? "";
  expect(request.length).toBeGreaterThan(500_000);
  const digest = createHash("sha256").update(`remit/change/v1\n${request}`).digest("hex");
  expect(change?.digest).toBe(`sha256:${digest}`);
  const approval = { changeId: change?.id ?? "", digest: change?.digest ?? "" };
  expect((await changes.approveChange(approval, { headers: bob })).change?.state).toBe("applied");
  expect(await failure(proposed("write", 1_000_000))).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "message", limit: "changeBytesMax: 1048576 bytes" },
  });
  expect(await failure(proposed("write", 3_000_000))).toMatchObject({
    code: "InvalidArgument",
    detail: { limit: "adminPartBytesMax: 2097152 bytes" },
  });
});
