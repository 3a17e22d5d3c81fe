import fc from "fast-check";
import { expect, test } from "vitest";
import { type Books, burnDown } from "./burn-down.ts";

const MICROS = 1_000_000n;
const HOUR = 3_600_000;

const books = (part: Partial<Books> = {}): Books => ({
  ...{ limit: 100n * MICROS, held: 0n, posted: 0n, overage: 0n, opensAtMs: 0, closesAtMs: 24 * HOUR },
  ...part,
});

test("half of the limit after a quarter of the window is gone at half of the window", () => {
  const day = books({ posted: 40n * MICROS, held: 10n * MICROS });
  expect(burnDown(day, 6 * HOUR)).toEqual({
    spent: 40n * MICROS,
    free: 50n * MICROS,
    over: 0n,
    windowOverBasisPoints: 2500,
    limitUsedBasisPoints: 5000,
    exhaustedAtMs: 12 * HOUR,
  });
});

test("what lasts until the window closes is not said to end, and neither is what nothing was spent of", () => {
  expect(burnDown(books({ posted: 25n * MICROS }), 6 * HOUR).exhaustedAtMs).toBeUndefined();
  expect(burnDown(books(), 6 * HOUR).exhaustedAtMs).toBeUndefined();
  expect(burnDown(books({ posted: 1n }), 0).exhaustedAtMs).toBeUndefined();
});

test("a limit below what is spent is over by the difference, and all of a limit of 0 is used", () => {
  expect(burnDown(books({ limit: 30n, posted: 40n, overage: 5n }), HOUR)).toMatchObject({
    ...{ spent: 45n, free: 0n, over: 15n, limitUsedBasisPoints: 15000, exhaustedAtMs: undefined },
  });
  expect(burnDown(books({ limit: 0n }), HOUR)).toMatchObject({ free: 0n, over: 0n, limitUsedBasisPoints: 10000 });
});

test("what never closes has no share of a window, and is projected all the same", () => {
  const lifetime = burnDown(books({ posted: 50n * MICROS, closesAtMs: undefined }), HOUR);
  expect(lifetime).toMatchObject({ windowOverBasisPoints: 0, exhaustedAtMs: 2 * HOUR });
});

test("the parts add up to the limit, shares stay in their bounds, and a projection stands between now and the close", () => {
  const micros = fc.bigInt({ min: 0n, max: 2n ** 61n });
  const any = fc.record({ limit: micros, held: micros, posted: micros, overage: micros });
  const times = fc.record({
    openMs: fc.integer({ min: 0, max: 2e12 }),
    lengthMs: fc.option(fc.integer({ min: 1, max: 3e10 }), { nil: undefined }),
    // A replica's clock may be before the window's beginning, or past its end.
    pastMs: fc.integer({ min: -1e6, max: 4e10 }),
  });
  fc.assert(
    fc.property(any, times, (amounts, { openMs, lengthMs, pastMs }) => {
      const closesAtMs = lengthMs === undefined ? undefined : openMs + lengthMs;
      const now = openMs + pastMs;
      const found = burnDown({ ...amounts, opensAtMs: openMs, closesAtMs }, now);
      expect(found.spent + amounts.held + found.free - found.over).toBe(amounts.limit);
      expect(found.free === 0n || found.over === 0n).toBe(true);
      expect(found.windowOverBasisPoints).toBeGreaterThanOrEqual(0);
      expect(found.windowOverBasisPoints).toBeLessThanOrEqual(10_000);
      expect(Number.isInteger(found.limitUsedBasisPoints) && found.limitUsedBasisPoints <= 4_294_967_295).toBe(true);
      const { exhaustedAtMs } = found;
      if (exhaustedAtMs === undefined) return;
      expect(exhaustedAtMs).toBeGreaterThan(now);
      if (closesAtMs !== undefined) expect(exhaustedAtMs).toBeLessThan(closesAtMs);
    }),
  );
});
