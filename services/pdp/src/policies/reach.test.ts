import { expect, test } from "vitest";
import { createReach } from "./reach.ts";
import type { Snapshot } from "./snapshot.ts";

const snapshot = (policy: bigint) => ({ tenant: "t", revisions: { security: 1n, policy } }) as Snapshot;

/** A tenant at security 1, policy 1; time passes when a test says so. */
function setUp() {
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const watchers = new Set<(swapped: Snapshot) => void>();
  const state = { nowMs: 0, here: snapshot(1n), stored: 1n, looks: 0, loads: 0 };
  const swap = (policy: bigint) => {
    state.here = snapshot(policy);
    for (const swapped of [...watchers]) swapped(state.here);
  };
  const reach = createReach({
    current: () => state.here,
    refresh: async () => {
      state.loads++;
      swap(state.stored);
      return state.here;
    },
    subscribe: (swapped) => {
      watchers.add(swapped);
      return () => void watchers.delete(swapped);
    },
    stored: async () => {
      state.looks++;
      return { security: 1n, policy: state.stored };
    },
    now: () => state.nowMs,
    after: (ms, run) => {
      const timer = { atMs: state.nowMs + ms, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Lets time pass, and what waits for it go on. */
  const pass = async (ms: number) => {
    await settle();
    state.nowMs += ms;
    for (const timer of [...timers]) {
      if (timer.atMs > state.nowMs) continue;
      timers.delete(timer);
      timer.run();
    }
    await settle();
  };
  return { reach, state, swap, pass, timers, watchers };
}

test("what is new enough is answered at once", async () => {
  const { reach, state } = setUp();
  expect((await reach("t", 2n)).revisions.policy).toBe(1n);
  expect([state.looks, state.loads]).toEqual([0, 0]);
});

test("what arrives by itself in a moment is waited for, and the store is not asked", async () => {
  const { reach, state, swap, pass, timers, watchers } = setUp();
  const asked = reach("t", 3n);
  await pass(20);
  swap(2n);
  expect((await asked).revisions.policy).toBe(2n);
  expect([state.looks, state.loads, timers.size, watchers.size]).toEqual([0, 0, 0, 0]);
});

test("what the store has and has not arrived is loaded", async () => {
  const { reach, state, pass } = setUp();
  state.stored = 4n;
  const asked = reach("t", 5n);
  await pass(50);
  expect((await asked).revisions.policy).toBe(4n);
  expect(state.loads).toBe(1);
});

test("asking for the future costs one row a moment, however many ask, and never a load", async () => {
  const { reach, state, pass, timers, watchers } = setUp();
  const all: Promise<Snapshot>[] = [];
  for (let wave = 0; wave < 10; wave++) {
    for (let at = 0; at < 100; at++) all.push(reach("t", 9_000n));
    await pass(10);
  }
  await pass(50);
  await pass(50);
  const answers = await Promise.all(all);
  expect(answers.every(({ revisions }) => revisions.policy === 1n)).toBe(true);
  expect(state.loads).toBe(0);
  // A look answers all who asked before it: in 100 ms of asking, one each 50 ms and the last one.
  expect(state.looks).toBeLessThanOrEqual(4);
  await pass(100);
  expect([timers.size, watchers.size]).toEqual([0, 0]);
});

test("a look that began before the question is no answer to it", async () => {
  const { reach, state, pass } = setUp();
  const first = reach("t", 5n);
  await pass(50);
  await first;
  expect(state.looks).toBe(1);
  // Written right after that look, and named by whoever wrote it.
  const second = reach("t", 5n);
  state.stored = 4n;
  await pass(50);
  expect((await second).revisions.policy).toBe(4n);
  expect(state.looks).toBe(2);
});
