import fc from "fast-check";
import { expect, test } from "vitest";
import { isUuid, leastUuidAt, type Random, systemRandom, uuidMaker } from "./ids.ts";

const counting = (): Random => {
  let next = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = next++ % 256;
  };
};

test("an id is a UUIDv7 whose first 48 bits are its time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (nowMs) => {
      const id = uuidMaker(counting())(nowMs);
      expect(isUuid(id)).toBe(true);
      expect(id[14]).toBe("7");
      expect("89ab").toContain(id[19]);
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(nowMs);
    }),
  );
});

test("ids of one millisecond differ, and the system's randomness does not repeat itself", () => {
  const newId = uuidMaker(systemRandom());
  const ids = Array.from({ length: 10_000 }, () => newId(1));
  expect(new Set(ids).size).toBe(ids.length);
});

test("randomness longer than the pool comes whole", () => {
  const bytes = new Uint8Array(10_000);
  systemRandom()(bytes);
  expect(new Set(bytes).size).toBe(256);
});

test.each([
  "",
  "x",
  "01A00000-0000-7000-8000-000000000000",
  "01a00000-0000-7000-8000-00000000000",
  "01a000000000700080000000000000000000",
])("%j is no UUID in its lower-case form", (text) => {
  expect(isUuid(text)).toBe(false);
});

test("the least id of a time parts the ids made before it from the rest", () => {
  const make = uuidMaker((bytes) => bytes.fill(0));
  const latest = uuidMaker((bytes) => bytes.fill(255));
  const ms = Date.parse("2026-11-21T10:00:00Z");
  expect(leastUuidAt(ms) < make(ms)).toBe(true);
  expect(latest(ms - 1) < leastUuidAt(ms)).toBe(true);
  expect(isUuid(leastUuidAt(ms))).toBe(true);
  expect([leastUuidAt(-5), leastUuidAt(2 ** 60)].every(isUuid)).toBe(true);
});
