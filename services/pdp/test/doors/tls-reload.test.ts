import { afterAll, beforeAll, expect, test } from "vitest";
import { forLoopback, makeAuthority } from "../support/authority.ts";
import { openStream } from "../support/exchange-stream.ts";
import { clientsOf, failure, furnish } from "../support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

const clerk = "spiffe://example.org/ns/shop/sa/clerk";
let tls: TlsHouse;

beforeAll(async () => {
  tls = await startTlsHouse();
  await furnish(tls.house);
  await bindCertificates(tls, clerk, ["clerk"]);
});
afterAll(() => tls.close());

const page = async (path: string) => await (await fetch(`http://${tls.house.pdp.metricsAddress}${path}`)).text();
const call = (callId: string) => ({
  ...{ callId, tool: "invoices.read", input: { case: "inputObject" as const, value: {} } },
  supportedConstraints: ["timeout", "maxOutputBytes"],
});

/** A stream of a workload's, with a session on it. */
async function attached(shown = tls.theirs.issue({ uris: [clerk] })) {
  const clients = tls.clients(shown);
  const { token } = await clients.sessionsByGrpc.openSession({ agent: "clerk" });
  const stream = openStream({ ...tls.house, clients }, null);
  const handle = await stream.attach(1n, token);
  const ask = (frame: bigint) => stream.ask(frame, { case: "decide", value: { handle, call: call(`c-${frame}`) } });
  return { clients, stream, ask };
}

test("another certificate of the service is shown from then on, and living streams go on", async () => {
  const { stream, ask } = await attached();
  const other = makeAuthority("other");
  const next = other.issue(forLoopback);
  tls.write("tls.key", next.key);
  tls.house.pdp.reload();
  expect(await page("/metrics")).toContain("remit_certificate_files_unusable 1");
  expect(await page("/readyz")).toMatch(/^ready\n.*not usable, the old ones stay in force.*not the key/);
  expect((await tls.clients().sessions.openSession({ agent: "clerk" }, owner())).session?.agent).toBe("clerk");

  tls.write("tls.crt", next.certificate);
  tls.house.pdp.reload();
  expect(await page("/metrics")).toContain("remit_certificate_files_unusable 0");
  const trusting = clientsOf(tls.house.pdp, { ca: other.certificate });
  expect((await trusting.sessions.openSession({ agent: "clerk" }, owner())).session?.agent).toBe("clerk");
  expect((await trusting.sessionsByGrpc.openSession({ agent: "clerk" }, owner())).session?.agent).toBe("clerk");
  expect(await failure(tls.clients().sessionsByGrpc.openSession({ agent: "clerk" }, owner()))).toMatchObject({
    message: expect.stringMatching(/certificate|issuer/),
  });
  expect((await ask(2n)).case).toBe("decided");
  expect(stream.notices).toEqual([]);
  await stream.end();
  const own = tls.ours.issue(forLoopback);
  tls.write("tls.key", own.key);
  tls.write("tls.crt", own.certificate);
  tls.house.pdp.reload();
});

const owner = () => ({ headers: { authorization: `Bearer ${tls.house.ownerKey}` } });

test("an authority that is taken out vouches for nobody any more, and its living streams are asked to move and end", async () => {
  const { stream, ask, clients } = await attached();
  const successor = makeAuthority("successor");
  tls.write("ca.crt", tls.theirs.certificate + successor.certificate);
  tls.house.pdp.reload();
  const newer = await attached(successor.issue({ uris: [clerk] }));
  expect((await ask(2n)).case).toBe("decided");

  tls.write("ca.crt", successor.certificate);
  tls.house.pdp.reload();
  await stream.noticed(1);
  expect(stream.notices[0]?.case).toBe("reconnect");
  const refused = await ask(3n);
  expect(refused).toMatchObject({ case: "error", value: { detail: { reason: "certificate_invalid" } } });
  expect(await failure(clients.sessions.openSession({ agent: "clerk" }))).toMatchObject({ code: expect.anything() });
  const late = tls.clients(tls.theirs.issue({ uris: [clerk] })).sessionsByGrpc.openSession({ agent: "clerk" });
  expect((await failure(late)).code).toMatch(/Unavailable|Aborted|Unknown|Internal|Canceled/);
  await expect(stream.answer(99n)).rejects.toThrow("ended");

  expect((await newer.ask(2n)).case).toBe("decided");
  expect(newer.stream.notices).toEqual([]);
  await newer.stream.end();
  expect(tls.lines.some(([, { connectionsEnded }]) => Number(connectionsEnded) > 0)).toBe(true);
});
