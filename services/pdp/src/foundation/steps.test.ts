import { expect, test } from "vitest";
import { finish, finishInSlices, finishInTurns, type Steps } from "./steps.ts";
import type { TurnRoom } from "./turn-room.ts";

/** Counts up to a number, in parts that cost so much each. */
function* counting(parts: number, cost: number): Steps<number> {
  let count = 0;
  while (count < parts) {
    count++;
    yield cost;
  }
  return count;
}

/** A room that notes who entered, and how many pieces it was told of. */
function room() {
  const entered: unknown[] = [];
  let pieces = 0;
  const turns: TurnRoom = {
    full: false,
    enter: async (source) => void entered.push(source),
    took: () => void pieces++,
  };
  return { turns, entered, pieces: () => pieces };
}

test("what is short is done at once, and its room is told once", () => {
  const { turns, entered, pieces } = room();
  expect(finishInTurns(counting(9, 10), turns, "stream")).toBe(9);
  expect([entered, pieces()]).toEqual([[], 1]);
});

test("what is long goes on in turns of its source, and its room is told of every piece", async () => {
  const { turns, entered, pieces } = room();
  const doing = finishInTurns(counting(35, 10), turns, "stream");
  expect(doing).toBeInstanceOf(Promise);
  expect(await doing).toBe(35);
  expect([entered, pieces()]).toEqual([["stream", "stream", "stream"], 4]);
});

test("an error in a later piece is the work's own", async () => {
  function* failing(): Steps<never> {
    yield 1000;
    throw new Error("no more");
  }
  await expect(finishInTurns(failing(), room().turns, "stream")).rejects.toThrow("no more");
});

test("all at once, and in slices, it comes to the same", async () => {
  let pauses = 0;
  const pause = async () => void pauses++;
  expect(await finishInSlices(counting(35, 10), pause)).toBe(finish(counting(35, 10)));
  expect(pauses).toBe(3);
});
