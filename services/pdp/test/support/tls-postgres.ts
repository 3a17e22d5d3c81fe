import { chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedPostgres, startEmbedded } from "../../src/stores/embedded.ts";
import { forLoopback, makeAuthority } from "./authority.ts";
import { eventually } from "./processes.ts";

/** A port that was free a moment ago: Postgres takes no other than it is told. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A Postgres of one's own that speaks TLS, and a URL that wants it to prove who it is. */
export async function startTlsPostgres(): Promise<{
  readonly postgres: EmbeddedPostgres;
  /** Of the runtime role, over TLS. */
  readonly runtimeUrl: string;
  close(): Promise<void>;
}> {
  const postgres = await startEmbedded({ durable: false, tcpPort: await freePort() });
  const { dataDir, superuserUrl, tcp } = postgres;
  const authority = makeAuthority("postgres");
  const { certificate, key } = authority.issue(forLoopback);
  const { uid, gid } = await stat(dataDir);
  for (const [name, text] of [
    ["server.crt", certificate],
    ["server.key", key],
  ] as const) {
    await writeFile(join(dataDir, name), text, { mode: 0o600 });
    await chown(join(dataDir, name), uid, gid);
  }
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query("alter system set ssl = on");
  await client.query("select pg_reload_conf()");
  await client.end();
  const folder = await mkdtemp(join(tmpdir(), "remit-pg-tls-"));
  const root = join(folder, "root.crt");
  await writeFile(root, authority.certificate);
  const url = new URL(tcp?.runtimeUrl ?? "");
  url.searchParams.set("sslmode", "verify-full");
  url.searchParams.set("sslrootcert", root);
  const asked = new pg.Pool({ connectionString: url.href, max: 1 });
  // It is told to speak TLS, and does so a moment later.
  await eventually(() =>
    asked.query("select").then(
      () => true,
      () => false,
    ),
  );
  await asked.end();
  return {
    postgres,
    runtimeUrl: url.href,
    async close() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
