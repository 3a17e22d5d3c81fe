import fc from "fast-check";
import { expect, test } from "vitest";
import { look, nothingSeen, STILL_LOOKS_MAX, suspects, type Watch } from "./suspicion.ts";

const after = (looks: readonly (ReadonlyMap<string, bigint> | "failed")[]): Watch =>
  looks.reduce<Watch>((watch, seen) => (seen === "failed" ? nothingSeen : look(watch, seen)), nothingSeen);

const still = (looks: number) => Array.from({ length: looks }, () => new Map([["peer", 7n]]));

test("a counter that stands still is suspected after the full number of looks, and not one before", () => {
  expect(suspects(after(still(STILL_LOOKS_MAX)))).toEqual([]);
  expect(suspects(after(still(STILL_LOOKS_MAX + 1)))).toEqual(["peer"]);
});

test("at least 20 looks are what the protocol asks for", () => {
  expect(STILL_LOOKS_MAX).toBeGreaterThanOrEqual(20);
});

test("a look that failed begins everything anew", () => {
  const almost = still(STILL_LOOKS_MAX);
  expect(suspects(after([...almost, "failed", ...almost]))).toEqual([]);
  expect(suspects(after([...almost, "failed", ...still(STILL_LOOKS_MAX + 1)]))).toEqual(["peer"]);
});

test("a counter that went back has moved", () => {
  const back = [...still(STILL_LOOKS_MAX), new Map([["peer", 5n]])];
  expect(suspects(after(back))).toEqual([]);
});

test("who has no counter is never suspected, and who is gone from the counters is forgotten", () => {
  expect(suspects(after(Array.from({ length: 1_000 }, () => new Map())))).toEqual([]);
  const gone = [...still(STILL_LOOKS_MAX), new Map<string, bigint>(), ...still(1)];
  expect(suspects(after(gone))).toEqual([]);
});

const names = ["a", "b", "c"];
const aLook = fc.oneof(
  { weight: 1, arbitrary: fc.constant("failed" as const) },
  { weight: 30, arbitrary: fc.subarray(names).map((moving) => new Set(moving)) },
);

test("whatever the looks were: suspected is who did not move in any of the last good looks, and nobody else", () => {
  fc.assert(
    fc.property(fc.array(aLook, { maxLength: 3 * STILL_LOOKS_MAX }), fc.subarray(names), (schedule, dead) => {
      const beats = new Map(names.map((name) => [name, 0n]));
      const looks = schedule.map((one) => {
        if (one === "failed") return one;
        for (const name of one) if (!dead.includes(name)) beats.set(name, (beats.get(name) ?? 0n) + 1n);
        return new Map(beats);
      });
      const good = looks.slice(looks.lastIndexOf("failed") + 1) as ReadonlyMap<string, bigint>[];
      const expected = names.filter((name) => {
        const lately = good.slice(-(STILL_LOOKS_MAX + 1));
        return lately.length > STILL_LOOKS_MAX && lately.every((seen) => seen.get(name) === lately[0]?.get(name));
      });
      expect(suspects(after(looks)).sort()).toEqual(expected);
    }),
  );
});
