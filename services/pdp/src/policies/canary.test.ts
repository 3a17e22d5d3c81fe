import fc from "fast-check";
import { expect, test } from "vitest";
import { canaryPlace, isCanary, WHOLE_BASIS_POINTS } from "./canary.ts";

const share = fc.integer({ min: 0, max: WHOLE_BASIS_POINTS });

test("no share is nobody, and the whole share is everybody", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (rollout, session) => {
      expect([isCanary(rollout, 0, session), isCanary(rollout, WHOLE_BASIS_POINTS, session)]).toEqual([false, true]);
    }),
  );
});

test("a share that grows lets no session out, and the same question has the same answer", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), share, share, (rollout, session, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      if (isCanary(rollout, less, session)) expect(isCanary(rollout, more, session)).toBe(true);
      expect(canaryPlace(rollout, session)).toBe(canaryPlace(rollout, session));
    }),
  );
});

test("a share takes its part of the sessions, and each basis point one ten-thousandth", () => {
  const SESSIONS = 40_000;
  for (const rollout of ["a", "b"]) {
    const places = Array.from({ length: SESSIONS }, (_, at) => canaryPlace(rollout, `session-${at}`));
    for (const basisPoints of [1, 100, 1_000, 5_000, 9_000]) {
      const part = places.filter((place) => place < basisPoints).length;
      const mean = (SESSIONS * basisPoints) / WHOLE_BASIS_POINTS;
      // Six standard deviations of the binomial: fails by chance less than once in a hundred million sets of ids.
      const room = 6 * Math.sqrt(mean * (1 - basisPoints / WHOLE_BASIS_POINTS)) + 1;
      expect(Math.abs(part - mean), `${rollout} ${basisPoints}`).toBeLessThan(room);
    }
  }
});

test("another rollout draws other sessions", () => {
  const sessions = Array.from({ length: 2_000 }, (_, at) => `session-${at}`);
  const both = sessions.filter((session) => isCanary("a", 1_000, session) && isCanary("b", 1_000, session));
  // Independent draws of a tenth share a hundredth: 20 of 2,000. The same draw would share 200.
  expect(both.length).toBeLessThan(60);
});
