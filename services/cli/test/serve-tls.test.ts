import { once } from "node:events";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { forLoopback, type Issued, makeAuthority } from "../../pdp/test/support/authority.ts";
import { type Announced, serveArguments, start, temporaryDirectory } from "./remit.ts";

/** Connects, trusting one authority, and answers whether the service's certificate is of it. */
async function isVouchedForBy(ca: string, address: string): Promise<boolean> {
  const { hostname: host, port } = new URL(`https://${address}`);
  const socket = connect({ host, port: Number(port), ca, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  const { authorized } = socket;
  socket.destroy();
  return authorized;
}

test("SIGHUP makes a service that speaks TLS take its files anew, and ends nothing", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "tls");
  await mkdir(folder);
  const [first, second] = [makeAuthority("first"), makeAuthority("second")];
  const write = async ({ key, certificate }: Issued) => {
    for (const [file, text] of [["tls.key", key] as const, ["tls.crt", certificate] as const]) {
      await writeFile(join(folder, `${file}.new`), text);
      await rename(join(folder, `${file}.new`), join(folder, file));
    }
  };
  await write(first.issue(forLoopback));
  const running = start(serveArguments(join(directory.path, "data"), "--json"), {
    env: {
      REMIT_TRANSPORT: "tls",
      REMIT_SERVER_CERTIFICATE_FILE: join(folder, "tls.crt"),
      REMIT_SERVER_KEY_FILE: join(folder, "tls.key"),
    },
  });
  const { httpAddress } = JSON.parse((await running.says("\n")).split("\n")[0] ?? "") as Announced;
  expect(await isVouchedForBy(first.certificate, httpAddress)).toBe(true);

  await write(second.issue(forLoopback));
  running.child.kill("SIGHUP");
  await expect.poll(() => isVouchedForBy(second.certificate, httpAddress), { timeout: 20_000 }).toBe(true);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});
