import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLES, type Role } from "../../src/identities/index.ts";
import { grantOf, methodName } from "../../src/wire/grants.ts";
import { everyMethod } from "../support/descriptors.ts";
import { failure, type House, startHouse } from "../support/pdp.ts";

let house: House;
const keys = new Map<Role | "none", string>();

beforeAll(async () => {
  house = await startHouse();
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  for (const role of [...ROLES, "none"] as const) {
    const made = await house.clients.callers.createKey(
      { name: `a-${role}`, roles: role === "none" ? [] : [role] },
      { headers },
    );
    keys.set(role, made.key);
  }
});

afterAll(() => house.close());

const DATA_PLANE = ["remit.v1.DecisionService", "remit.v1.SessionService"];

/** How an RPC answers an empty request of somebody with one role: `ok`, or the reason that it does not. */
async function asked(method: Awaited<ReturnType<typeof everyMethod>>[number], key: string): Promise<string> {
  const { pdp } = house;
  const at = DATA_PLANE.includes(method.parent.typeName) ? pdp.httpAddress : pdp.adminAddress;
  const transport = createConnectTransport({ baseUrl: `http://${at}`, httpVersion: "1.1" });
  const client = createClient(method.parent, transport) as Record<
    string,
    (request: unknown, options: unknown) => Promise<unknown>
  >;
  const call = client[method.localName];
  if (!call) throw new Error(`no client for ${methodName(method)}`);
  const answer = call(create(method.input), { headers: { authorization: `Bearer ${key}` } });
  return answer.then(
    () => "ok",
    async (error) => (await failure(Promise.reject(error))).detail.reason,
  );
}

test("every role may do what the table grants it, and is refused everything else, at every RPC", async () => {
  const wrong: string[] = [];
  let tried = 0;
  for (const method of await everyMethod()) {
    if (method.methodKind !== "unary") continue;
    const { to } = grantOf(method);
    for (const [role, key] of keys) {
      const isOwner = role === "owner" && typeof to !== "string" && to.some((one) => one !== "cell-operator");
      const may = typeof to === "string" || isOwner || (role !== "none" && to.includes(role));
      const reason = await asked(method, key);
      tried++;
      if ((reason !== "role_missing") !== may) wrong.push(`${methodName(method)} ${role}: ${reason}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(tried).toBeGreaterThan(300);
});
