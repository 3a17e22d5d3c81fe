import { expect, test } from "vitest";
import { closedLoop, openLoop } from "./loops.ts";
import type { Target } from "./target.ts";

/** Answers on a later turn of the event loop; counts the most calls that were open at once. */
function target(ok: (n: number) => boolean): Target & { asked(): number; mostOpen(): number } {
  let asked = 0;
  let open = 0;
  let mostOpen = 0;
  return {
    lost: new Promise<never>(() => {}),
    problems: () => ({}),
    close() {},
    asked: () => asked,
    mostOpen: () => mostOpen,
    call(done) {
      const n = asked;
      asked += 1;
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      setImmediate(() => {
        open -= 1;
        done(ok(n) ? undefined : "refused");
      });
    },
  };
}

const sleeper = { sleepUntil: () => new Promise<void>((resolve) => setImmediate(resolve)), stop: async () => {} };

test("a closed loop keeps exactly the given number of calls in flight and leaves none behind", async () => {
  const subject = target(() => true);
  const result = await closedLoop(subject, 4, { warmupMs: 5, durationMs: 30 });
  expect(subject.mostOpen()).toBe(4);
  expect(result.unanswered).toBe(0);
  expect(result.answered).toBeGreaterThan(0);
  expect(result.answered).toBeLessThan(subject.asked());
});

test("an open loop asks every call that falls due, once, and counts those after the warm-up", async () => {
  const subject = target(() => true);
  const result = await openLoop(subject, sleeper, 1_000, { warmupMs: 20, durationMs: 40 });
  expect(subject.asked()).toBe(60);
  expect(result.answered).toBe(40);
  expect(result.lateUs.count).toBe(40);
});

test("failed calls are counted apart and have no latency", async () => {
  const result = await openLoop(
    target((n) => n % 2 === 0),
    sleeper,
    1_000,
    { warmupMs: 0, durationMs: 40 },
  );
  expect(result.failed).toBe(20);
  expect(result.failures).toEqual({ refused: 20 });
  expect(result.latencyUs.count).toBe(20);
});

test("a lost connection ends the run instead of being measured", async () => {
  const lost = Promise.reject(new Error("gone"));
  lost.catch(() => {});
  const silent: Target = { lost, problems: () => ({}), close() {}, call() {} };
  await expect(closedLoop(silent, 1, { warmupMs: 0, durationMs: 20 })).rejects.toThrow("gone");
  await expect(openLoop(silent, sleeper, 100, { warmupMs: 0, durationMs: 20 })).rejects.toThrow("gone");
});
