import { Socket } from "node:net";
import { expect, test } from "vitest";
import { createCrowdRoom } from "../foundation/crowd-room.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { createEnding } from "./ending.ts";

const UNKNOWN = 100;

/** Connections of so many streams each, and the numbers of those that have ended after each turn. */
async function endedInTurns(streams: readonly (number | undefined)[]): Promise<readonly number[][]> {
  const turns: (() => void)[] = [];
  const crowd = createCrowdRoom({ turn: () => new Promise((go) => turns.push(go)), nowMs: () => 0 });
  const ending = createEnding(crowd, UNKNOWN);
  const ended: number[] = [];
  const sockets = streams.map((count, at) => {
    const socket = new Socket().on("close", () => ended.push(at));
    if (count !== undefined) ending.carries(socket, () => count);
    return socket;
  });
  void ending.end(new Set(sockets));
  const after: number[][] = [];
  for (let next = turns.shift(); next; next = turns.shift()) {
    const before = ended.length;
    next();
    for (let settled = 0; settled < 10; settled++) await turnOfTheLoop();
    after.push(ended.slice(before));
  }
  return after.filter((some) => some.length > 0);
}

test("of connections that end at one moment, one of many streams ends in a turn, and few of hardly any", async () => {
  expect(await endedInTurns([100, 100, 1, 1, 1, 1, 100, 100])).toEqual([[0], [1], [2, 3, 4, 5], [6], [7]]);
});

test("one of which it is not known how many streams it has ends as one of many", async () => {
  expect(await endedInTurns([1, 1, undefined, undefined, 1])).toEqual([[0, 1, 2], [3], [4]]);
});
