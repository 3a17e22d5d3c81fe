import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../../src/index.ts";
import { type Authority, forLoopback, type Issued, makeAuthority } from "./authority.ts";
import { type ClientTls, clientsOf, type House, startHouse } from "./pdp.ts";
import { withClient } from "./test-database.ts";

/** A service that speaks TLS, and those who vouch for it and for its clients. */
export interface TlsHouse extends AsyncDisposable {
  readonly house: House;
  /** Vouches for the service. */
  readonly ours: Authority;
  /** Vouches for workloads. */
  readonly theirs: Authority;
  /** Everything logged: level, fields, message. */
  readonly lines: readonly [string, Record<string, unknown>, string][];
  /** Replaces a file of the service at one stroke. */
  write(file: "tls.crt" | "tls.key" | "ca.crt", text: string): void;
  /** What a client connects with that has this certificate, or none. */
  tls(shown?: Issued): ClientTls;
  clients(shown?: Issued, httpVersion?: "1.1" | "2"): ReturnType<typeof clientsOf>;
  close(): Promise<void>;
}

/** Starts a service that asks its clients for certificates. */
export async function startTlsHouse(overrides: Record<string, string | number> = {}): Promise<TlsHouse> {
  const folder = mkdtempSync(join(tmpdir(), "remit-tls-"));
  const [ours, theirs] = [makeAuthority("ours"), makeAuthority("theirs")];
  const own = ours.issue(forLoopback);
  const write: TlsHouse["write"] = (file, text) => {
    writeFileSync(join(folder, `${file}.new`), text);
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };
  write("tls.crt", own.certificate);
  write("tls.key", own.key);
  write("ca.crt", theirs.certificate);
  const lines: [string, Record<string, unknown>, string][] = [];
  const say = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push([level, fields, message]);
  const log: Log = { info: say("info"), warn: say("warn"), error: say("error") };
  const house = await startHouse({
    log,
    tls: { ca: ours.certificate },
    overrides: {
      transport: "tls",
      serverCertificateFile: join(folder, "tls.crt"),
      serverKeyFile: join(folder, "tls.key"),
      clientTrustFile: join(folder, "ca.crt"),
      ...overrides,
    },
  });
  const tls = (shown?: Issued): ClientTls => ({
    ca: ours.certificate,
    ...(shown && { cert: shown.certificate, key: shown.key }),
  });
  const close = async () => {
    await house.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    ...{ house, ours, theirs, lines, write, tls, close },
    clients: (shown, httpVersion) => clientsOf(house.pdp, tls(shown), httpVersion),
    [Symbol.asyncDispose]: close,
  };
}

/** Gives the certificates with these ids the right to open sessions for the agents named. */
export async function bindCertificates(
  { house }: Pick<TlsHouse, "house">,
  subject: string,
  agents: readonly string[],
  tenant = "default",
): Promise<void> {
  await withClient(house.database.ownerUrl, async (client) => {
    await client.query("update revision set security = security + 1 where tenant = $1", [tenant]);
    await client.query(
      `insert into binding (tenant, name, issuer, subject, agents, revision)
       values ($1, 'b-' || md5($2), 'spiffe', $2, $3, (select security from revision where tenant = $1))`,
      [tenant, subject, agents],
    );
  });
}
