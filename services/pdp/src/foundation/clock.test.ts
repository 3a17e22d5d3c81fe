import fc from "fast-check";
import { expect, test } from "vitest";
import { msOf, rfc3339, settableClock, utcDay } from "./clock.ts";

test("a time is written as the platform writes it, in whatever order times come", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })), (times) => {
      expect(times.map(rfc3339)).toEqual(times.map((ms) => new Date(ms).toISOString()));
    }),
  );
  expect(rfc3339(1_700_000_000_123.9)).toBe("2023-11-14T22:13:20.123Z");
  expect(utcDay(1_700_000_000_123)).toBe("2023-11-14");
});

test("a time that was written is read as the platform reads it, in whatever order times come", () => {
  const beyond = fc.constantFrom(253_402_300_800_000, -62_167_219_200_001);
  const within = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  const near = fc.integer({ min: 1_700_000_000_000, max: 1_700_200_000_000 });
  fc.assert(
    fc.property(fc.array(fc.oneof(within, near, beyond)), (times) => {
      expect(times.map((ms) => msOf(rfc3339(ms)))).toEqual(times);
    }),
  );
});

test("a settable clock says what it was set to", () => {
  const clock = settableClock(5);
  expect(clock.now()).toBe(5);
  clock.set(7);
  expect(clock.now()).toBe(7);
});
