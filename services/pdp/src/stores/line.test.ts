import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createCrowdRoom } from "../foundation/crowd-room.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { createLine } from "./line.ts";

const WAIT_MS_MAX = 2_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A line whose turns wait to be let go, and what those who waited in it were told. */
function lined(placesMax: number) {
  const turns: (() => void)[] = [];
  const turn = () => new Promise<void>((go) => turns.push(go));
  const crowd = createCrowdRoom({ turn, nowMs: () => 0 });
  const line = createLine({ placesMax, waitMsMax: WAIT_MS_MAX, late: () => new Error("late"), crowd });
  const told: string[] = [];
  return {
    told,
    leave: line.leave,
    enter: (name: string) => line.enter((late) => told.push(late ? `${name}: ${late.message}` : name)),
    /** Lets one turn go, if one is waited for. */
    async goOn() {
      turns.shift()?.();
      // What follows from each of a turn is waited for, some ticks each.
      for (let settled = 0; settled < 10; settled++) await turnOfTheLoop();
    },
  };
}

const namesOf = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);

test("as many have a place as there are, and the others in the order in which they came", () => {
  const { enter, leave, told } = lined(2);
  const names = namesOf(5);
  for (const name of names) enter(name);
  expect(told).toEqual(["c0", "c1"]);
  for (let left = 0; left < 3; left++) leave();
  expect(told).toEqual(names);
  for (let left = 0; left < 2; left++) leave();
  for (const name of ["c5", "c6", "c7"]) enter(name);
  expect(told).toEqual([...names, "c5", "c6"]);
});

test("a hundred thousand may each give its place back at once", () => {
  const line = createLine({
    placesMax: 1,
    waitMsMax: WAIT_MS_MAX,
    late: () => new Error("late"),
    crowd: createCrowdRoom(),
  });
  let had = 0;
  line.enter(() => {});
  for (let at = 0; at < 100_000; at++) {
    line.enter(() => {
      had++;
      line.leave();
    });
  }
  line.leave();
  expect(had).toBe(100_000);
  line.enter(() => had++);
  line.enter(() => had++);
  expect(had).toBe(100_001);
});

test("thousands who have waited for too long are told some in a turn, in order, and nobody who came later", async () => {
  const { enter, leave, told, goOn } = lined(1);
  enter("has it");
  const names = namesOf(2_000);
  for (const name of names) enter(name);
  vi.advanceTimersByTime(WAIT_MS_MAX - 1);
  enter("later");
  await goOn();
  expect(told).toEqual(["has it"]);
  vi.advanceTimersByTime(2);
  await goOn();
  expect(told.length).toBeGreaterThan(10);
  expect(told.length).toBeLessThan(50);
  while (told.length <= names.length) {
    const before = told.length;
    await goOn();
    expect(told.length - before).toBeLessThan(50);
  }
  expect(told).toEqual(["has it", ...names.map((name) => `${name}: late`)]);
  leave();
  expect(told.at(-1)).toBe("later");
});

test("who is next has a place that is free before it was told that there was none", async () => {
  const { enter, leave, told, goOn } = lined(1);
  enter("has it");
  for (const name of ["first", "second", "third"]) enter(name);
  vi.advanceTimersByTime(WAIT_MS_MAX + 1);
  leave();
  await goOn();
  expect(told).toEqual(["has it", "first", "second: late", "third: late"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("one who waits is told in its time though nobody else comes, and so is the next after it", async () => {
  const { enter, told, goOn } = lined(1);
  enter("has it");
  enter("first");
  vi.advanceTimersByTime(WAIT_MS_MAX / 2);
  enter("second");
  vi.advanceTimersByTime(WAIT_MS_MAX / 2 + 1);
  await goOn();
  expect(told).toEqual(["has it", "first: late"]);
  vi.advanceTimersByTime(WAIT_MS_MAX / 2);
  await goOn();
  expect(told).toEqual(["has it", "first: late", "second: late"]);
});
