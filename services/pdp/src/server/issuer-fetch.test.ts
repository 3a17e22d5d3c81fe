import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createIssuerFetch, refusedAddress } from "./issuer-fetch.ts";

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/keys" }).end();
    else response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const strict = { network: "public", loopback: false } as const;
const lenient = { network: "private", loopback: true } as const;

test.each([
  ["127.0.0.1", "is this machine"],
  ["127.9.9.9", "is this machine"],
  ["::1", "is this machine"],
  ["::ffff:127.0.0.1", "is this machine"],
  ["0.0.0.0", "is no address of an issuer"],
  ["::", "is no address of an issuer"],
  ["169.254.169.254", "is no address of an issuer"],
  ["::ffff:169.254.169.254", "is no address of an issuer"],
  ["64:ff9b::a9fe:a9fe", "is no address of an issuer"],
  ["2002:a9fe:a9fe::1", "is no address of an issuer"],
  ["fe80::1", "is no address of an issuer"],
  ["224.0.0.1", "is no address of an issuer"],
  ["10.1.2.3", "is of a private network"],
  ["172.20.0.1", "is of a private network"],
  ["192.168.1.1", "is of a private network"],
  ["100.64.0.1", "is of a private network"],
  ["fd00::1", "is of a private network"],
  ["8.8.8.8", undefined],
  ["2606:4700::1111", undefined],
])("of what is not to be reached: %s %s", (address, why) => {
  expect(refusedAddress(address, strict)).toBe(why);
});

test("an operator opens private networks, and development this machine; links never", () => {
  expect(refusedAddress("10.1.2.3", lenient)).toBeUndefined();
  expect(refusedAddress("127.0.0.1", lenient)).toBeUndefined();
  expect(refusedAddress("169.254.169.254", lenient)).toBe("is no address of an issuer");
});

test("a document is read from loopback in development alone, by its name too", async () => {
  const url = `http://localhost:${port}/keys`;
  expect(await createIssuerFetch(lenient)(url)).toBe('{"keys":[]}');
  await expect(createIssuerFetch(strict)(url)).rejects.toThrow("only https");
  await expect(createIssuerFetch(strict)(`https://localhost:${port}/keys`)).rejects.toThrow("is this machine");
  await expect(createIssuerFetch(strict)(`https://127.0.0.1:${port}/keys`)).rejects.toThrow("is this machine");
});

test.each([
  ["http://example.com/keys", "only https"],
  ["ftp://example.com/keys", "only https"],
  ["file:///etc/passwd", "only https"],
  ["https://user:secret@example.com/keys", "credentials"],
  ["https://169.254.169.254/latest/meta-data", "is no address of an issuer"],
  ["https://[::ffff:169.254.169.254]/", "is no address of an issuer"],
  ["https://0x7f000001/", "is this machine"],
  ["not an address", "Invalid URL"],
])("nothing is asked of %s", async (url, why) => {
  await expect(createIssuerFetch({ ...lenient, loopback: false })(url)).rejects.toThrow(why);
});

test("a redirect is followed nowhere", async () => {
  await expect(createIssuerFetch(lenient)(`http://127.0.0.1:${port}/moved`)).rejects.toThrow("302");
});
