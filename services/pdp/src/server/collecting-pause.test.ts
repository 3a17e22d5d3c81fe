import { expect, test } from "vitest";
import { createCollectingPause } from "./collecting-pause.ts";

const MIB = 1024 * 1024;

/** A process whose work lays things out, slice after slice, with everything that its pause did written down. */
function working({ rests = true } = {}) {
  const done: string[] = [];
  const state = { usedBytes: 100 * MIB, nowMs: 0, marking: false, restsUntilDone: Infinity };
  const rest = async () => {
    done.push("rest");
    state.nowMs += 1;
    if (--state.restsUntilDone <= 0) state.marking = false;
  };
  const pause = createCollectingPause({
    heap: {
      usedBytes: () => state.usedBytes,
      isMarking: () => state.marking,
      collect: () => void done.push("collect"),
    },
    turn: async () => void done.push("turn"),
    ...(rests && { rest }),
    nowMs: () => state.nowMs,
  });
  const slice = async (mib: number, ms = 1) => {
    state.usedBytes += mib * MIB;
    state.nowMs += ms;
    await pause();
    return done.splice(0);
  };
  return { state, slice, pause };
}

test("what is laid out is collected after every 3 MiB, in a turn of its own", async () => {
  const { slice } = working();
  await slice(0);
  expect(await slice(2)).toEqual(["turn"]);
  expect(await slice(1)).toEqual(["turn", "collect", "turn"]);
  expect(await slice(2.9)).toEqual(["turn"]);
  expect(await slice(5)).toEqual(["turn", "collect", "turn"]);
});

test("work that lays out little is never held up", async () => {
  const { slice, state } = working();
  await slice(0);
  state.marking = true;
  for (let at = 0; at < 10; at++) expect(await slice(0.02)).toEqual(["turn"]);
});

test("what others allocate between two pieces of work is not counted", async () => {
  const { slice } = working();
  expect(await slice(50)).toEqual(["turn"]);
  expect(await slice(50, 1_000)).toEqual(["turn"]);
  expect(await slice(1)).toEqual(["turn"]);
});

test("where the machine collected by itself, what is used is less, and that takes nothing away from what was laid out", async () => {
  const { slice } = working();
  await slice(0);
  await slice(2);
  expect(await slice(-30)).toEqual(["turn"]);
  expect(await slice(1)).toEqual(["turn", "collect", "turn"]);
});

test("while everything is being collected nothing is asked for: the work rests until that has ended", async () => {
  const { slice, state } = working();
  await slice(0);
  state.marking = true;
  state.restsUntilDone = 3;
  expect(await slice(0.5)).toEqual(["turn", "rest", "rest", "rest"]);
  expect(await slice(2.5)).toEqual(["turn", "collect", "turn"]);
});

test("work that somebody waits for goes on while everything is being collected, and what it laid out is collected after that", async () => {
  const { slice, state } = working({ rests: false });
  await slice(0);
  state.marking = true;
  expect(await slice(4)).toEqual(["turn"]);
  state.marking = false;
  expect(await slice(0)).toEqual(["turn", "collect", "turn"]);
});

test("it rests for so long and no longer, once for each collection, and goes on as if nobody collected", async () => {
  const { slice, state } = working();
  await slice(0);
  state.marking = true;
  const rested = await slice(4);
  expect(rested.filter((what) => what === "rest")).toHaveLength(400);
  expect(rested).not.toContain("collect");
  expect(await slice(4)).toEqual(["turn"]);
  state.marking = false;
  expect(await slice(4)).toEqual(["turn", "collect", "turn"]);
  state.marking = true;
  state.restsUntilDone = 2;
  expect(await slice(1)).toEqual(["turn", "rest", "rest"]);
});

test("two pieces of work that rest for the same collection ask for one", async () => {
  const { state, slice, pause } = working();
  await slice(0);
  state.marking = true;
  state.restsUntilDone = 5;
  state.usedBytes += 3 * MIB;
  const both = [pause(), slice(0)];
  await both[0];
  expect((await both[1])?.filter((what) => what === "collect")).toHaveLength(1);
});
