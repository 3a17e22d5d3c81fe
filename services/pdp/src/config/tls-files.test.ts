import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { forLoopback, makeAuthority } from "../../test/support/authority.ts";
import { formatConfigProblems, loadConfig } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "remit-tls-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const authority = makeAuthority();
const { certificate, key } = authority.issue(forLoopback);
const other = authority.issue(forLoopback);
const good = {
  REMIT_TRANSPORT: "tls",
  REMIT_SERVER_CERTIFICATE_FILE: write("tls.crt", certificate + authority.certificate),
  REMIT_SERVER_KEY_FILE: write("tls.key", key),
  REMIT_CLIENT_TRUST_FILE: write("ca.crt", authority.certificate),
};

const problems = (env: Record<string, string>) => {
  const loaded = loadConfig({ env });
  return loaded.ok ? [] : loaded.problems;
};
const said = (env: Record<string, string>) => problems(env).map(({ name, message }) => `${name}: ${message}`);

test("a certificate, its key and those who vouch for clients are all that TLS takes, beyond loopback too", () => {
  expect(problems({ ...good, REMIT_HTTP_ADDRESS: "0.0.0.0:7080", REMIT_CLIENT_CERTIFICATES: "required" })).toEqual([]);
});

test.each<[string, Record<string, string>, string[]]>([
  [
    "nothing is given",
    { REMIT_TRANSPORT: "tls", REMIT_CLIENT_CERTIFICATES: "required" },
    ["REMIT_SERVER_CERTIFICATE_FILE: ", "REMIT_SERVER_KEY_FILE: ", "REMIT_CLIENT_TRUST_FILE: "],
  ],
  [
    "files are missing",
    { ...good, REMIT_SERVER_CERTIFICATE_FILE: "/nowhere/a", REMIT_CLIENT_TRUST_FILE: "/nowhere/b" },
    ["REMIT_SERVER_CERTIFICATE_FILE: it cannot be read: there is no such file", "REMIT_CLIENT_TRUST_FILE: "],
  ],
  [
    "the key is another's",
    { ...good, REMIT_SERVER_KEY_FILE: write("other.key", other.key) },
    ["REMIT_SERVER_KEY_FILE: it is not"],
  ],
  [
    "the key is a certificate",
    { ...good, REMIT_SERVER_KEY_FILE: write("x.key", certificate) },
    ["REMIT_SERVER_KEY_FILE: it holds no private key"],
  ],
  [
    "the certificate ran out",
    {
      ...good,
      REMIT_SERVER_CERTIFICATE_FILE: write(
        "old.crt",
        authority.issue({ ...forLoopback, fromMs: 0, untilMs: 86_400_000 }).certificate,
      ),
    },
    ["REMIT_SERVER_CERTIFICATE_FILE: it ran out at 1970-01-02"],
  ],
  [
    "the certificate is no PEM",
    { ...good, REMIT_SERVER_CERTIFICATE_FILE: write("no.crt", "hello") },
    ["REMIT_SERVER_CERTIFICATE_FILE: it holds no"],
  ],
  [
    "the bundle holds a leaf",
    { ...good, REMIT_CLIENT_TRUST_FILE: write("leaf.crt", certificate) },
    ["REMIT_CLIENT_TRUST_FILE: CN=remit is no authority"],
  ],
  [
    "the bundle is empty",
    { ...good, REMIT_CLIENT_TRUST_FILE: write("empty.crt", "") },
    ["REMIT_CLIENT_TRUST_FILE: it holds no certificate"],
  ],
  [
    "files are given and not used",
    { ...good, REMIT_TRANSPORT: "insecure" },
    ["REMIT_SERVER_CERTIFICATE_FILE: it is not used", "REMIT_SERVER_KEY_FILE: ", "REMIT_CLIENT_TRUST_FILE: "],
  ],
  ["a mesh without an identity", { REMIT_TRANSPORT: "mesh" }, ["REMIT_MESH_IDENTITY: "]],
  ["peers of no mesh", { REMIT_MESH_PEERS: "loopback" }, ["REMIT_MESH_PEERS: it is not used"]],
  [
    "a mesh whose proxies show certificates that nobody asks for",
    { REMIT_TRANSPORT: "mesh", REMIT_MESH_IDENTITY: "spiffe://a/b", REMIT_MESH_PEERS: "spiffe://a/proxy" },
    ["REMIT_MESH_PEERS: "],
  ],
  [
    "an identity that is none",
    { REMIT_TRANSPORT: "mesh", REMIT_MESH_IDENTITY: "spiffe://a" },
    ["REMIT_MESH_IDENTITY: "],
  ],
  [
    "peers that are nobody",
    { REMIT_MESH_IDENTITY: "spiffe://a/b", REMIT_MESH_PEERS: "10.0.0.1, everybody" },
    ["REMIT_MESH_PEERS: "],
  ],
])("when %s, every problem is told at once", (_, env, expected) => {
  const found = said(env);
  expect(found).toHaveLength(expected.length);
  for (const [at, start] of expected.entries()) expect(found[at]).toContain(start);
  expect(formatConfigProblems(problems(env))).not.toContain("BEGIN");
});

test("behind a mesh's proxy the service listens beyond loopback, and knows its proxies", () => {
  const env = { REMIT_TRANSPORT: "mesh", REMIT_MESH_IDENTITY: "spiffe://a/b", REMIT_GRPC_ADDRESS: "0.0.0.0:7081" };
  expect(problems(env)).toEqual([]);
  const loaded = loadConfig({ env: { ...env, REMIT_MESH_PEERS: "127.0.0.6,::1" } });
  expect(loaded.ok && loaded.config.meshPeers).toEqual({ loopback: false, addresses: ["127.0.0.6", "::1"], ids: [] });
});
