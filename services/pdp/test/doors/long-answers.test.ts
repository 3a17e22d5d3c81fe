import { toJsonString } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { type GetPoliciesResponse, GetPoliciesResponseSchema, PolicyService } from "@remit/proto/admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type House, startHouse } from "../support/pdp.ts";

/*
 * Answers of the admin plane that are long, in every form in which somebody may ask.
 */

const RULES = 10_000;
const MESSAGE = "“ask” 😀 first";

let house: House;
let headers: { readonly authorization: string };

const choices = [{ policy: "longest" }];

/** As many rules as a policy may have, in a document of a megabyte. */
function source(): string {
  const rules = Array.from(
    { length: RULES },
    (_, at) => `    - { id: r${at}, match: { tools: [records.delete] }, effect: deny, message: "${MESSAGE}" }\n`,
  );
  return `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: longest }\nspec:\n  rules:\n${rules.join("")}`;
}

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  headers = { authorization: `Bearer ${house.ownerKey}` };
  const files = [{ file: "p.yaml", text: source() }];
  const { versions, problems } = await house.clients.policies.publishPolicies({ files }, { headers });
  expect([versions.length, problems.length]).toEqual([1, 1_000]);
}, 60_000);

afterAll(() => house.close());

function expectWhole({ policies: [only] }: GetPoliciesResponse): void {
  expect(only?.source).toBe(source());
  const { rules } = JSON.parse(only?.document ?? "").spec;
  expect(rules).toHaveLength(RULES);
  expect(rules[RULES - 1]).toMatchObject({ id: `r${RULES - 1}`, message: MESSAGE });
}

const ways: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  "Connect, as bytes": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect over HTTP/2, as bytes": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
  "Connect, in JSON": (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web in JSON": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
};

test.each(Object.entries(ways))(
  "a policy of as many rules as there may be is answered whole by %s",
  async (_, way) => {
    const policies = createClient(PolicyService, way(`http://${house.pdp.adminAddress}`));
    expectWhole(await policies.getPolicies({ choices }, { headers }));
    // The connection is as good as before.
    const { policies: inForce } = await policies.getPolicies({}, { headers });
    expect(inForce.map(({ version }) => version?.policy)).toEqual(["house"]);
  },
  30_000,
);

test("what a person with curl sees is JSON of the length that was said", async () => {
  const response = await fetch(`http://${house.pdp.adminAddress}/remit.v1.PolicyService/GetPolicies`, {
    ...{ method: "POST", headers: { ...headers, "content-type": "application/json" } },
    body: JSON.stringify({ choices }),
  });
  const bytes = await response.arrayBuffer();
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(response.headers.get("content-length")).toBe(String(bytes.byteLength));
  const asked = await house.clients.policies.getPolicies({ choices }, { headers });
  expect(new TextDecoder().decode(bytes)).toBe(toJsonString(GetPoliciesResponseSchema, asked));
});

test("who hangs up within a long answer leaves the service as it was", async () => {
  const hungUp = new AbortController();
  const response = await fetch(`http://${house.pdp.adminAddress}/remit.v1.PolicyService/GetPolicies`, {
    ...{ method: "POST", headers: { ...headers, "content-type": "application/json" }, signal: hungUp.signal },
    body: JSON.stringify({ choices }),
  });
  await response.body?.getReader().read();
  hungUp.abort();
  expectWhole(await house.clients.policies.getPolicies({ choices }, { headers }));
});
