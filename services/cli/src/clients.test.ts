import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { baseUrl, targetFrom } from "./clients.ts";

test("an address is host:port or a URL", () => {
  expect(baseUrl("127.0.0.1:7081", "REMIT_ADDRESS")).toBe("http://127.0.0.1:7081");
  expect(baseUrl("https://remit.internal/", "REMIT_ADDRESS")).toBe("https://remit.internal");
  expect(() => baseUrl("not an address", "REMIT_ADDRESS")).toThrow("REMIT_ADDRESS is not an address");
});

test("the environment names the service, the key and the session", () => {
  const env = { REMIT_API_KEY: "rmt_k", REMIT_ADDRESS: "a:1", REMIT_ADMIN_ADDRESS: "b:2", REMIT_SESSION: "t" };
  expect(targetFrom(env)).toEqual({ address: "a:1", adminAddress: "b:2", apiKey: "rmt_k", sessionToken: "t" });
  expect(targetFrom(env, "given").sessionToken).toBe("given");
  expect(targetFrom({ ...env, REMIT_ADDRESS: "a:1, c:1" }).address).toBe("a:1");
  expect(targetFrom({ REMIT_API_KEY: "rmt_k" })).toMatchObject({
    address: "127.0.0.1:7081",
    adminAddress: "127.0.0.1:7082",
  });
});

test("files for TLS mean https, and a certificate needs no key of ours", () => {
  const folder = mkdtempSync(join(tmpdir(), "remit-cli-tls-"));
  const file = (name: string) => {
    writeFileSync(join(folder, name), name);
    return join(folder, name);
  };
  const trust = { REMIT_TLS_TRUST_FILE: file("ca") };
  const own = { REMIT_TLS_CERTIFICATE_FILE: file("cert"), REMIT_TLS_KEY_FILE: file("key") };
  const { tls, apiKey } = targetFrom({ ...trust, ...own });
  expect([String(tls?.ca), String(tls?.cert), String(tls?.key), apiKey]).toEqual(["ca", "cert", "key", ""]);
  expect(baseUrl("127.0.0.1:7081", "REMIT_ADDRESS", tls)).toBe("https://127.0.0.1:7081");
  expect(() => baseUrl("http://127.0.0.1:7081", "REMIT_ADDRESS", tls)).toThrow("clear text");
  expect(() => targetFrom(trust)).toThrow("no API key is set");
  expect(() => targetFrom({ ...trust, REMIT_TLS_KEY_FILE: own.REMIT_TLS_KEY_FILE })).toThrow("needs its key");
  expect(() => targetFrom({ REMIT_TLS_TRUST_FILE: join(folder, "nowhere") })).toThrow("REMIT_TLS_TRUST_FILE cannot");
  rmSync(folder, { recursive: true });
});

test("a token or its file stands in the place of a key, and two of them are one too many", () => {
  const folder = mkdtempSync(join(tmpdir(), "remit-cli-token-"));
  const file = join(folder, "token");
  writeFileSync(file, "a.b.c\n");
  expect(targetFrom({ REMIT_TOKEN: "a.b.c" }).apiKey).toBe("a.b.c");
  expect(targetFrom({ REMIT_TOKEN_FILE: file }).apiKey).toBe("a.b.c");
  expect(() => targetFrom({ REMIT_TOKEN: "a.b.c", REMIT_API_KEY: "rmt_k" })).toThrow("more than one credential");
  expect(() => targetFrom({ REMIT_TOKEN_FILE: join(folder, "nowhere") })).toThrow("REMIT_TOKEN_FILE cannot be read");
  rmSync(folder, { recursive: true });
});

test("without a key there is no default one", () => {
  expect(() => targetFrom({ REMIT_CONFIG_DIR: "/nowhere" })).toThrow("no API key is set, and nobody has logged in");
});
