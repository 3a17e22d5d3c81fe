import { expect, test, vi } from "vitest";
import { createPatience, type Standing, watchUntilStuck } from "./stuck.ts";

const times = (count: number, standing: Standing): Standing[] => Array.from({ length: count }, () => standing);

test("so many looks in a row are borne, then twice as many, up to the most", () => {
  const patience = createPatience(3, 10);
  const tried = times(27, "not_yet").map((standing) => patience.tried(standing));
  // 3 are borne, then 6, then 10: the 4th, the 11th and the 22nd are one too many.
  expect(tried.flatMap((stuck, at) => (stuck ? [at + 1] : []))).toEqual([4, 11, 22]);
  expect(patience.bears()).toBe(10);
});

test("one that answers otherwise in between is not stuck, and once it lets somebody in all is as at first", () => {
  const patience = createPatience(2, 8);
  const seen: Standing[] = [...times(2, "not_yet"), "silent", ...times(2, "not_yet"), "open", ...times(2, "not_yet")];
  expect(seen.map((standing) => patience.tried(standing))).not.toContain(true);
  expect(patience.tried("not_yet")).toBe(true);
  expect(patience.bears()).toBe(4);
  // Nobody there is no reason to think better of it.
  patience.tried("silent");
  expect(patience.bears()).toBe(4);
  patience.tried("open");
  expect(patience.bears()).toBe(2);
});

test("a watch tells once, and never after it was stopped", async () => {
  vi.useFakeTimers();
  try {
    const onStuck = vi.fn();
    const stopped = vi.fn();
    const watch = (told: () => void) =>
      watchUntilStuck({ look: async () => "not_yet", everyMs: 5, patience: createPatience(3, 3), onStuck: told });
    watch(onStuck);
    const stop = watch(stopped);
    await vi.advanceTimersByTimeAsync(15);
    expect(onStuck).not.toHaveBeenCalled();
    stop();
    await vi.advanceTimersByTimeAsync(500);
    expect(onStuck).toHaveBeenCalledTimes(1);
    expect(stopped).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});
