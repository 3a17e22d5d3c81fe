import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDeadlines } from "./deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Deadlines whose pauses wait to be let go, and the names of those that have passed. */
function watched() {
  const pauses: (() => void)[] = [];
  const passed: string[] = [];
  const deadlines = createDeadlines(() => new Promise((go) => pauses.push(go)));
  return {
    passed,
    watch: (name: string, inMs: number) => deadlines.watch(Date.now() + inMs, () => passed.push(name)),
    /** Whether there was a pause to be let go. */
    async goOn() {
      pauses.shift()?.();
      for (let settled = 0; settled < 10; settled++) await undefined;
      return pauses.length > 0;
    },
  };
}

test("each call ends at its deadline, not before and hardly later, and one that was answered does not", () => {
  const { watch, passed } = watched();
  watch("soon", 20);
  watch("later", 50);
  const forget = watch("answered", 20);
  const alone = watch("answered too", 90);
  forget();
  alone();
  vi.advanceTimersByTime(19);
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(6);
  expect(passed).toEqual(["soon"]);
  expect(vi.getTimerCount()).toBe(1);
});

test("calls whose deadlines pass at one moment end some in a turn, in the order in which they came", async () => {
  const { watch, passed, goOn } = watched();
  const names = Array.from({ length: 100 }, (_, at) => `c${at}`);
  const forgets = names.map((name) => watch(name, 20));
  vi.advanceTimersByTime(30);
  expect(passed.length).toBeGreaterThan(0);
  expect(passed.length).toBeLessThanOrEqual(32);
  // Answered while it waits for its turn.
  forgets[99]?.();
  watch("the next", 5);
  vi.advanceTimersByTime(10);
  expect(passed.length).toBeLessThanOrEqual(32);
  while (passed.length < 100) await goOn();
  expect(passed).toEqual([...names.slice(0, 99), "the next"]);
});

test("a deadline further away than a timer can be set for is kept too", () => {
  const { watch, passed } = watched();
  const days = 24 * 3600 * 1000;
  watch("far", 40 * days);
  vi.advanceTimersByTime(39 * days);
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(days + 5);
  expect(passed).toEqual(["far"]);
});
