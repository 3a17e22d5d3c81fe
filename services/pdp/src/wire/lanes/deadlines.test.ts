import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createCrowdRoom } from "../../foundation/crowd-room.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { createDeadlines } from "./deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Deadlines whose turns wait to be let go, and the names of those that have passed. */
function watched() {
  const turns: (() => void)[] = [];
  const passed: string[] = [];
  const turn = () => new Promise<void>((go) => turns.push(go));
  const deadlines = createDeadlines(createCrowdRoom({ turn, nowMs: () => 0 }));
  return {
    passed,
    watch: (name: string, inMs: number) => deadlines.watch(Date.now() + inMs, () => passed.push(name)),
    /** Lets one turn go, if one is waited for. */
    async goOn() {
      turns.shift()?.();
      // What follows from each of a turn is waited for, some ticks each.
      for (let settled = 0; settled < 10; settled++) await turnOfTheLoop();
    },
  };
}

test("each call ends at its deadline, not before and hardly later, and one that was answered does not", async () => {
  const { watch, passed, goOn } = watched();
  watch("soon", 20);
  watch("later", 50);
  const forget = watch("answered", 20);
  const alone = watch("answered too", 90);
  forget();
  alone();
  vi.advanceTimersByTime(19);
  await goOn();
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(6);
  await goOn();
  expect(passed).toEqual(["soon"]);
  expect(vi.getTimerCount()).toBe(1);
});

test("calls whose deadlines pass at one moment end some in a turn, in the order in which they came", async () => {
  const { watch, passed, goOn } = watched();
  const names = Array.from({ length: 100 }, (_, at) => `c${at}`);
  const forgets = names.map((name) => watch(name, 20));
  vi.advanceTimersByTime(30);
  await goOn();
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

test("a deadline further away than a timer can be set for is kept too", async () => {
  const { watch, passed, goOn } = watched();
  const days = 24 * 3600 * 1000;
  watch("far", 40 * days);
  vi.advanceTimersByTime(39 * days);
  await goOn();
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(days + 5);
  await goOn();
  expect(passed).toEqual(["far"]);
});
