import { describe, expect, it } from "vitest";
import { createCrowdRoom } from "./crowd-room.ts";
import { turnOfTheLoop } from "./turn-of-the-loop.ts";

/** Turns that come when they are called, and what happened in each. */
function playedTurns(atOnceMax: number) {
  let next: (() => void)[] = [];
  let [pauses, nowMs] = [0, 0];
  const toTurn = () => new Promise<void>((resolve) => next.push(resolve));
  const toPause = async () => {
    pauses++;
  };
  const room = createCrowdRoom({ atOnceMax, turn: toTurn, pause: toPause, nowMs: () => nowMs });
  const turns: string[][] = [[]];
  const happen = (name: string) => turns.at(-1)?.push(name);
  return {
    room,
    turns,
    pauses: () => pauses,
    happen,
    pass: (ms: number) => {
      nowMs += ms;
    },
    come(...names: string[]) {
      for (const name of names) {
        if (room.full) room.enter(() => happen(name));
        else {
          room.take();
          happen(name);
        }
      }
    },
    /** Whether anybody wanted another turn. */
    async turn(): Promise<boolean> {
      const due = next;
      next = [];
      turns.push([]);
      for (const begin of due) begin();
      // What follows from each is waited for, some ticks each.
      for (let settled = 0; settled < 10; settled++) await turnOfTheLoop();
      return due.length > 0;
    },
  };
}

describe("a room for crowds", () => {
  it("lets few go at once, and of many so many a turn, in the order in which they came", async () => {
    const { come, turn, turns } = playedTurns(3);
    come("a", "b");
    await turn();
    come("c", "d", "e", "f", "g", "h", "i", "j");
    while (await turn());
    expect(turns.filter((some) => some.length > 0)).toEqual([
      ["a", "b"],
      ["c", "d", "e"],
      ["f", "g", "h"],
      ["i", "j"],
    ]);
  });

  it("lets nobody overtake those who wait", async () => {
    const { come, turn, turns } = playedTurns(2);
    come("a", "b", "c", "d", "e");
    await turn();
    come("f");
    while (await turn());
    expect(turns.flat()).toEqual(["a", "b", "c", "d", "e", "f"]);
  });

  it("counts what is heavy as many", async () => {
    const { come, room, turn, turns } = playedTurns(3);
    room.take(3);
    come("a");
    expect(turns).toEqual([[]]);
    await turn();
    expect(turns.at(-1)).toEqual(["a"]);
  });

  it("pauses between the turns of those who wait alone", async () => {
    const { come, turn, pauses } = playedTurns(2);
    come("a");
    while (await turn());
    expect(pauses()).toBe(0);
    come("b", "c", "d", "e", "f", "g");
    while (await turn());
    expect(pauses()).toBe(2);
  });

  it("wants no turn while nothing comes", async () => {
    const { come, turn } = playedTurns(2);
    come("a");
    expect(await turn()).toBe(true);
    expect(await turn()).toBe(false);
  });

  it("lets those wait who come while others are let go", async () => {
    const { come, room, turn, turns } = playedTurns(2);
    come("a", "b");
    room.enter(() => come("d"));
    come("c");
    while (await turn());
    expect(turns.flat()).toEqual(["a", "b", "c", "d"]);
  });

  it("lets go fewer of those that take long, with what follows from each", async () => {
    const { room, turn, turns, happen, pass } = playedTurns(10);
    const takesLong = (name: string) => {
      happen(name);
      // Not at once: as the end of a connection is followed by that of its streams.
      process.nextTick(() => void Promise.resolve().then(() => pass(0.6)));
    };
    for (const name of ["a", "b", "c", "d", "e"]) room.enter(() => takesLong(name));
    while (await turn());
    expect(turns.filter((some) => some.length > 0)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("goes through one crowd after another, and leaves out those that are gone before their turn", async () => {
    const { room, turn, turns, happen } = playedTurns(3);
    const [some, others] = [new Set(["a", "b", "c", "d", "e"]), ["x", "y"]];
    const over: string[] = [];
    void room.each(some, happen).then(() => over.push("some"));
    void room.each(others, happen).then(() => over.push("others"));
    await turn();
    expect(turns.at(-1)).toEqual(["a", "b", "c"]);
    some.delete("d");
    some.add("f");
    expect(over).toEqual([]);
    while (await turn());
    expect(turns.flat()).toEqual(["a", "b", "c", "e", "f", "x", "y"]);
    expect(over).toEqual(["some", "others"]);
  });

  it("lets at once come whom it has room for", async () => {
    const { room, turn, turns, happen } = playedTurns(2);
    for (const name of ["a", "b", "c"]) room.come(() => happen(name));
    expect(turns).toEqual([["a", "b"]]);
    while (await turn());
    expect(turns.flat()).toEqual(["a", "b", "c"]);
  });
});
