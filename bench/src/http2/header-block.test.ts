import { expect, test } from "vitest";
import { headerEncoder, prefixedInteger } from "./header-block.ts";

test("integers are encoded as RFC 7541's own examples say", () => {
  expect(prefixedInteger(10, 5, 0)).toEqual([0b01010]);
  expect(prefixedInteger(1337, 5, 0)).toEqual([31, 154, 10]);
  expect(prefixedInteger(42, 8, 0)).toEqual([42]);
});

test("a header is written out once and is one byte afterwards", () => {
  const encode = headerEncoder();
  const headers = [
    [":method", "POST"],
    ["remit-session", "token"],
    ["te", "trailers"],
  ] as const;
  expect(encode(headers).length).toBeGreaterThan(20);
  // Newest entry first: te is 62, remit-session 63.
  expect([...encode(headers)]).toEqual([0x83, 0x80 | 63, 0x80 | 62]);
});

test("what the table has no room for is written out each time", () => {
  const encode = headerEncoder();
  const headers = [["remit-session", "x".repeat(5_000)]] as const;
  expect(encode(headers).equals(encode(headers))).toBe(true);
  expect(encode(headers).length).toBeGreaterThan(5_000);
});
