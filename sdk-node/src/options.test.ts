import { expect, test } from "vitest";
import { RemitError } from "./errors.ts";
import { type ClientOptions, settle } from "./options.ts";

const key = "rmt_k";

function problem(options: ClientOptions, environment: Record<string, string> = {}): RemitError {
  try {
    settle(options, environment);
  } catch (error) {
    if (error instanceof RemitError) return error;
    throw error;
  }
  throw new Error("the options were accepted");
}

test("address and key come from the options, else the environment; the address has a default, the key has none", () => {
  const settled = (...of: Parameters<typeof settle>) => {
    const settings = settle(...of);
    return { ...settings, header: settings.credential.header() };
  };
  expect(settled({ key }, {})).toMatchObject({
    ...{ addresses: ["127.0.0.1:7081"], header: "Bearer rmt_k", deadlineMs: 1000, hedgeMs: 250 },
  });
  const environment = { REMIT_ADDRESS: "127.0.0.1:9", REMIT_API_KEY: "rmt_e" };
  expect(settled({}, environment)).toMatchObject({ addresses: ["127.0.0.1:9"], header: "Bearer rmt_e" });
  expect(settled({ address: "[::1]:8", key }, environment)).toMatchObject({
    ...{ addresses: ["[::1]:8"], header: "Bearer rmt_k" },
  });
  expect(problem({})).toMatchObject({ reason: "configuration_invalid", field: "key" });
  expect(problem({}).message).toContain("REMIT_API_KEY");
});

test("tokens come from a function, a file or the environment, in the place of a key", async () => {
  const token = () => "a.b.c";
  expect(await settle({ token }, {}).credential.header()).toBe("Bearer a.b.c");
  expect(await settle({ token }, { REMIT_API_KEY: "rmt_e" }).credential.header()).toBe("Bearer a.b.c");
  expect(await settle({}, { REMIT_TOKEN: "d.e.f" }).credential.header()).toBe("Bearer d.e.f");
  expect(problem({ token, key })).toMatchObject({ field: "token" });
  expect(problem({}, { REMIT_TOKEN: "d.e.f", REMIT_API_KEY: "rmt_e" })).toMatchObject({ field: "token" });
});

test("several addresses come from a list or from commas, each once; they are named together", () => {
  const list = { addresses: ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1"], where: "127.0.0.1:1, 127.0.0.1:2" };
  expect(settle({ key, addresses: list.addresses }, {})).toMatchObject({ where: list.where });
  const environment = { REMIT_ADDRESS: "127.0.0.1:1, 127.0.0.1:2" };
  expect(settle({ key }, environment)).toMatchObject({ addresses: ["127.0.0.1:1", "127.0.0.1:2"], tls: undefined });
  expect(settle({ key, addresses: ["127.0.0.1:1", "remit.example:1"] }, {}).tls).toEqual({});
  expect(problem({ key, addresses: [] })).toMatchObject({ field: "addresses" });
  expect(problem({ key, address: "a:1", addresses: ["b:1"] })).toMatchObject({ field: "addresses" });
  const many = Array.from({ length: 65 }, (_, n) => `a:${n + 1}`);
  expect(problem({ key, addresses: many })).toMatchObject({ field: "addresses" });
  expect(problem({ key, addresses: ["a:1", "nowhere"] })).toMatchObject({ field: "address" });
});

test("loopback is plain text, anything else is TLS unless the word insecure is said", () => {
  expect(settle({ key }, {}).tls).toBeUndefined();
  expect(settle({ key, address: "localhost:1" }, {}).tls).toBeUndefined();
  expect(settle({ key, address: "remit.example:7081" }, {}).tls).toEqual({});
  expect(settle({ key, address: "127.0.0.1.example.com:7081" }, {}).tls).toEqual({});
  expect(settle({ key, address: "remit:7081", tls: "insecure" }, {}).tls).toBeUndefined();
  expect(problem({ key, address: "remit:7081", tls: { cert: "c" } })).toMatchObject({ field: "tls" });
});

for (const address of ["", "remit", "http://remit:7081", "remit:0", "remit:99999", "a b:1"]) {
  test(`${JSON.stringify(address)} is not an address`, () => {
    expect(problem({ key, address })).toMatchObject({ field: "address" });
  });
}

test("numbers that are none, and keys that no header can hold, are named without showing the key", () => {
  expect(problem({ key, deadlineMs: 0 })).toMatchObject({ field: "deadlineMs" });
  expect(problem({ key, hedgeMs: Number.NaN })).toMatchObject({ field: "hedgeMs" });
  const broken = problem({ key: "rmt_secret\n" });
  expect(broken).toMatchObject({ field: "key" });
  expect(broken.message).not.toContain("secret");
});
