import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Issued, makeAuthority } from "../../services/pdp/test/support/authority.ts";
import { furnish } from "../../services/pdp/test/support/pdp.ts";
import { bindCertificates, startTlsHouse, type TlsHouse } from "../../services/pdp/test/support/tls-house.ts";
import { createClient } from "../src/index.ts";

const clerk = "spiffe://example.org/ns/shop/sa/clerk";
const folder = mkdtempSync(join(tmpdir(), "remit-sdk-"));
let tls: TlsHouse;

beforeAll(async () => {
  tls = await startTlsHouse({ clientCertificates: "required" });
  const owner = tls.theirs.issue({ dns: ["owner"] });
  await furnish({ ...tls.house, clients: tls.clients(owner) });
  await bindCertificates(tls, clerk, ["clerk"]);
});
afterAll(async () => {
  await tls.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);
function show({ certificate, key }: Issued): void {
  writeFileSync(file("tls.crt"), certificate);
  writeFileSync(file("tls.key"), key);
}

test("a workload with a certificate needs no key, and shows another one as soon as that is asked for", async () => {
  show(tls.theirs.issue({ uris: [clerk] }));
  writeFileSync(file("ca.crt"), tls.ours.certificate);
  const client = await createClient({
    address: tls.house.pdp.grpcAddress,
    tls: { caFile: file("ca.crt"), certFile: file("tls.crt"), keyFile: file("tls.key") },
    deadlineMs: 20_000,
    log: () => {},
  });
  const session = await client.openSession({ agent: "clerk" });
  const decide = () => client.decide(session, { tool: "invoices.read", input: {} });
  expect((await decide()).effect).toBe("allow");

  const successor = makeAuthority("successor");
  tls.write("ca.crt", tls.theirs.certificate + successor.certificate);
  tls.house.pdp.reload();
  show(successor.issue({ uris: [clerk] }));
  tls.write("ca.crt", successor.certificate);
  tls.house.pdp.reload();
  for (let call = 0; call < 20; call++) expect((await decide()).effect).toBe("allow");
  await session.close();
  await client.close();
});
