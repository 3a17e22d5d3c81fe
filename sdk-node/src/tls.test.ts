import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeAuthority } from "../../services/pdp/test/support/authority.ts";
import { settle } from "./options.ts";
import { createDialling, tlsFromEnvironment } from "./tls.ts";

const folder = mkdtempSync(join(tmpdir(), "remit-sdk-tls-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const authority = makeAuthority();
const shown = authority.issue({ uris: ["spiffe://example.org/clerk"] });
const environment = {
  REMIT_TLS_TRUST_FILE: write("ca.crt", authority.certificate),
  REMIT_TLS_CERTIFICATE_FILE: write("tls.crt", shown.certificate),
  REMIT_TLS_KEY_FILE: write("tls.key", shown.key),
};

test("the environment's files mean TLS, on loopback too, and a certificate needs no key of ours", () => {
  const settings = settle({}, environment);
  expect(settings.tls).toEqual(tlsFromEnvironment(environment));
  expect(settings.credential.header()).toBeUndefined();
  expect(settings.dialling("a:1").credentials._isSecure()).toBe(true);
  expect(settle({ tls: "insecure", key: "rmt_k" }, environment).tls).toBeUndefined();
  const { REMIT_TLS_TRUST_FILE } = environment;
  expect(() => settle({}, { REMIT_TLS_TRUST_FILE })).toThrow("no API key");
});

test("files are read for every connection, and what is half replaced changes nothing", () => {
  const dialling = createDialling(tlsFromEnvironment(environment));
  const next = authority.issue({});
  for (const key of [next.key, "hello", ""]) {
    write("tls.key", key);
    expect(dialling("remit.example:1").credentials._isSecure()).toBe(true);
  }
  expect(() => createDialling(tlsFromEnvironment(environment))).toThrow("cannot be set up");
  write("tls.crt", next.certificate);
  write("tls.key", next.key);
  expect(dialling("remit.example:1").options).toEqual({});
});

test("an address of digits is no name to ask for", () => {
  const dialling = createDialling({});
  const override = { "grpc.ssl_target_name_override": "address.invalid" };
  expect(["10.0.0.1:1", "[::1]:1"].map((address) => dialling(address).options)).toEqual([override, override]);
  expect(dialling("remit.example:1").options).toEqual({});
});

test.each([
  [{ certFile: "/nowhere/tls.crt", keyFile: "/nowhere/tls.key" }, "ENOENT"],
  [{ cert: shown.certificate, key: authority.issue({}).key }, "cannot be set up"],
  [{ cert: shown.certificate }, "needs its key"],
  [{ keyFile: "tls.key" }, "needs its key"],
  [{ ca: "a", caFile: "b" }, "twice"],
])("what cannot be used is told at once: %j", (tls, said) => {
  expect(() => settle({ key: "rmt_k", tls }, {})).toThrow(said);
});
