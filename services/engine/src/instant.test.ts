import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTimestampNs } from "./instant.ts";

describe("a timestamp", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0n],
    ["1970-01-01t00:00:00.000000001z", 1n],
    ["1969-12-31T23:59:59.5Z", -500_000_000n],
    ["2026-03-01T12:00:00+02:00", 1_772_359_200_000_000_000n],
    ["2026-03-01T08:00:00-02:00", 1_772_359_200_000_000_000n],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000_000_000n],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000_000_000n],
  ])("%s is read", (text, ns) => expect(parseTimestampNs(text)).toBe(ns));

  it.each([
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01",
    "0000-01-01T00:00:00Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00.1234567890Z",
    "2026-01-01T00:00:00+24:00",
    "now",
    "",
  ])("%j is none", (text) => expect(parseTimestampNs(text)).toBeUndefined());

  it("reads what a date prints", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(parseTimestampNs(date.toISOString())).toBe(BigInt(date.getTime()) * 1_000_000n);
        },
      ),
    );
  });
});
