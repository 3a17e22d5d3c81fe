import { request } from "node:http";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { DecisionService } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { failure, furnish, type House, startHouse } from "../support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

const self = "spiffe://example.org/ns/remit/sa/remit";
const clerk = "spiffe://example.org/ns/shop/sa/clerk";
const owner = "spiffe://example.org/ns/shop/sa/owner";
const gateway = "spiffe://example.org/ns/edge/sa/gateway";

/** The service with a proxy beside it: this test plays the proxy. */
let sidecar: House;
/** The same, in clear text from anywhere; its proxy is elsewhere, so that this test is a stranger. */
let elsewhere: House;
/** A service that speaks TLS to a gateway, which is known by its certificate. */
let behind: TlsHouse;

beforeAll(async () => {
  sidecar = await startHouse({ overrides: { transport: "mesh", meshIdentity: self } });
  const overrides = { transport: "insecure", meshIdentity: self, meshPeers: "10.1.2.3" };
  elsewhere = await startHouse({ overrides });
  behind = await startTlsHouse({ meshIdentity: self, meshPeers: gateway });
  for (const house of [sidecar, elsewhere, behind.house]) {
    await furnish(house);
    await bindCertificates({ house }, clerk, ["clerk"]);
    await bindCertificates({ house }, gateway, ["clerk"]);
  }
});
afterAll(() => Promise.all([sidecar.close(), elsewhere.close(), behind.close()]));

const header = (value: string) => ({ headers: { "x-forwarded-client-cert": value } });
const open = async (house: Pick<House, "clients">, options = {}) => {
  const byHttp = house.clients.sessions.openSession({ agent: "clerk" }, options);
  const byGrpc = house.clients.sessionsByGrpc.openSession({ agent: "clerk" }, options);
  const answers = await Promise.allSettled([byHttp, byGrpc]);
  expect(new Set(answers.map(({ status }) => status)).size).toBe(1);
  return await byGrpc;
};
const refusal = async (house: Pick<House, "clients">, value: string) => {
  const { sessions, sessionsByGrpc } = house.clients;
  const [first, second] = [
    await failure(sessions.openSession({ agent: "clerk" }, header(value))),
    await failure(sessionsByGrpc.openSession({ agent: "clerk" }, header(value))),
  ];
  expect(first).toEqual(second);
  return first;
};
const refused = { code: "Unauthenticated", detail: { reason: "forwarded_certificate_refused" } };

test.each([
  `By=${self};Hash=ab;Subject="";URI=${clerk}`,
  `By=${gateway};URI=${owner},By=${self};Hash=ab;Subject="CN=\\"a\\",O=b;c";URI=${clerk};DNS=clerk.shop`,
])("the proxy beside the service says who asks: %s", async (value) => {
  expect((await open(sidecar, header(value))).session?.agent).toBe("clerk");
});

test("whoever the proxy names has the rights of its bindings and no others", async () => {
  const other = await refusal(sidecar, `By=${self};URI=${owner}`);
  expect(other).toMatchObject({ code: "PermissionDenied" });
  const nobody = await failure(open(sidecar, header(`By=${self};Hash=ab`)));
  expect(nobody).toMatchObject({ code: "Unauthenticated", detail: { reason: "token_invalid" } });
  expect(await failure(open(sidecar))).toMatchObject({ detail: { reason: "token_invalid" } });
});

test.each([
  [`By=${self};URI=${clerk},By=spiffe://example.org/other;URI=${clerk}`, "not by"],
  [`By=${self};URI=${clerk},Hash=ab;URI=${clerk}`, "0 By"],
  [`By=${self};URI=${clerk},`, "no key"],
  [`By=${self};URI=${clerk};URI=${owner}`, "2 URIs"],
  [`By=${self};By=${self};URI=${clerk}`, "2 By"],
  [`By=${self};Subject="x,By=${self};URI=${clerk}`, "not closed"],
  [`By=${self};URI=${clerk}, By=${self};URI=${clerk}`, "no key"],
  [`By=${self};URI=spiffe%3A%2F%2Fexample.org%2Fns%2Fshop%2Fsa%2Fclerk`, ""],
  ["anything at all", "no key"],
])("a header that the proxy would not write so counts for nothing, not even with a key: %s", async (value, why) => {
  if (why === "") {
    expect(await failure(open(sidecar, header(value)))).toMatchObject({ detail: { reason: "token_invalid" } });
    return;
  }
  const said = await refusal(sidecar, value);
  expect(said).toMatchObject(refused);
  expect(said.message).toContain(why);
  const headers = { authorization: `Bearer ${sidecar.ownerKey}`, "x-forwarded-client-cert": value };
  expect(await failure(sidecar.clients.callers.listCallers({}, { headers }))).toMatchObject(refused);
});

/** Posts with header lines as they are written here. */
function post(address: string, path: string, lines: readonly string[]): Promise<{ status: number; body: string }> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const headers = ["host", address, "content-type", "application/json", ...lines];
    const asking = request({ host, port, path, method: "POST", headers }, (response) => {
      let body = "";
      response.on("data", (bytes: Buffer) => {
        body += bytes.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.on("error", reject);
    asking.end('{"agent":"clerk"}');
  });
}

test("two lines of the header are refused, each of which would be good", async () => {
  const line = ["x-forwarded-client-cert", `By=${self};URI=${clerk}`];
  const path = "/remit.v1.SessionService/OpenSession";
  const one = await post(sidecar.pdp.httpAddress, path, line);
  expect([one.status, one.body]).toEqual([200, expect.stringContaining('"token"')]);
  const two = await post(sidecar.pdp.httpAddress, path, [...line, "X-Forwarded-Client-Cert", line[1] ?? ""]);
  expect([two.status, two.body]).toEqual([401, expect.stringContaining("it stands there 2 times")]);
});

test("a client that is no proxy and names somebody is refused and told so, whatever else it sends", async () => {
  const said = await refusal(elsewhere, `By=${self};URI=${clerk}`);
  expect(said).toMatchObject(refused);
  expect(said.message).toContain("which is no proxy of this service");
  const headers = { authorization: `Bearer ${elsewhere.ownerKey}`, ...header(`By=${self};URI=${clerk}`).headers };
  expect(await failure(elsewhere.clients.callers.listCallers({}, { headers }))).toMatchObject(refused);
  const key = { headers: { authorization: `Bearer ${elsewhere.ownerKey}` } };
  expect((await open(elsewhere, key)).session?.agent).toBe("clerk");
});

test("with transport mesh nobody but the proxy may connect at all", async () => {
  const overrides = { transport: "mesh", meshIdentity: self, meshPeers: "10.1.2.3" };
  await using house = await startHouse({ overrides });
  const headers = { authorization: `Bearer ${house.ownerKey}` };
  for (const asked of [
    house.clients.callers.listCallers({}, { headers }),
    house.clients.sessions.openSession({ agent: "clerk" }, { headers }),
    createClient(DecisionService, createGrpcTransport({ baseUrl: `http://${house.pdp.grpcAddress}` })).decide({}),
  ]) {
    expect((await failure(asked)).code).toMatch(/Unavailable|Aborted|Unknown|Internal|Canceled/);
  }
  const page = await (await fetch(`http://${house.pdp.metricsAddress}/metrics`)).text();
  expect(page).toMatch(/remit_connections_turned_away_total\{why="no_proxy"\} [1-9]/);
});

test("a gateway is known by its certificate: it speaks for clients, and for itself when it names none", async () => {
  const asGateway = { clients: behind.clients(behind.theirs.issue({ uris: [gateway] })) };
  const { sessions } = asGateway.clients;
  expect((await open(asGateway, header(`By=${self};URI=${clerk}`))).session?.agent).toBe("clerk");
  const refusedThere = await failure(sessions.openSession({ agent: "clerk" }, header(`By=${self};URI=${owner}`)));
  expect(refusedThere).toMatchObject({ code: "PermissionDenied" });
  expect((await open(asGateway)).session?.agent).toBe("clerk");
});

test("another workload's certificate, or none, gives nobody the right to speak for others", async () => {
  for (const shown of [behind.theirs.issue({ uris: [clerk] }), behind.theirs.issue({ dns: ["gateway"] }), undefined]) {
    expect(await refusal({ clients: behind.clients(shown) }, `By=${self};URI=${owner}`)).toMatchObject(refused);
  }
});
