import { afterAll, beforeAll, expect, test } from "vitest";
import { failure } from "../support/pdp.ts";
import { startTlsHouse, type TlsHouse } from "../support/tls-house.ts";

let tls: TlsHouse;
beforeAll(async () => {
  tls = await startTlsHouse({ clientCertificates: "required" });
});
afterAll(() => tls.close());

test("where certificates are required nothing is asked without one, not even what needs no key", async () => {
  const owner = { headers: { authorization: `Bearer ${tls.house.ownerKey}` } };
  const without = tls.clients();
  for (const asked of [
    without.sessionsByGrpc.openSession({ agent: "clerk" }, owner),
    without.sessions.openSession({ agent: "clerk" }, owner),
    without.callers.listCallers({}, owner),
  ]) {
    expect((await failure(asked)).message).toMatch(/certificate required|handshake|disconnected|socket|hang|closed/i);
  }
  const anybody = tls.theirs.issue({ dns: ["somebody"] });
  const { callers } = await tls.clients(anybody).callers.listCallers({}, owner);
  expect(callers.length).toBeGreaterThan(0);
  await expect.poll(() => tls.lines.filter(([, { why }]) => why === "no_certificate").length).toBeGreaterThan(0);
});
