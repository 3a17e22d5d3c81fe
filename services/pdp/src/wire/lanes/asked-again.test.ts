import { expect, test } from "vitest";
import { createAskedAgain } from "./asked-again.ts";

function played() {
  let now = 0;
  const { ended, take } = createAskedAgain(() => now);
  const times = (count: number, does: () => unknown) => Array.from({ length: count }, does);
  return {
    end: (count: number) => void times(count, ended),
    /** Of so many that come, how many follow one that has ended. */
    come: (count: number) => times(count, take).filter(Boolean).length,
    pass(ms: number) {
      now += ms;
    },
  };
}

test("each that has ended is followed by one", () => {
  const { end, come } = played();
  expect(come(10)).toBe(0);
  end(5);
  expect(come(10)).toBe(5);
  expect(come(10)).toBe(0);
});

test("whoever keeps 128 in flight asks each of them again, for ever", () => {
  const { end, come, pass } = played();
  for (let round = 0; round < 100; round++) {
    end(128);
    pass(20);
    expect(come(128)).toBe(128);
  }
});

test("of a crowd only so many follow on others, however many have ended before", () => {
  const { end, come } = played();
  end(10_000);
  expect(come(10_000)).toBeLessThan(256);
});

test("what ended a while ago is followed by nobody", () => {
  const { end, come, pass } = played();
  end(100);
  pass(1_001);
  expect(come(100)).toBe(0);
  end(1);
  expect(come(100)).toBe(1);
});
