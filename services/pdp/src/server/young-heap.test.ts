import { constants, type PerformanceEntry, type PerformanceNodeEntry, PerformanceObserver } from "node:perf_hooks";
import { expect, test } from "vitest";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { openCollecting } from "./young-heap.ts";

/** The collections of what is young that were asked for while `work` ran. */
async function askedFor(work: () => Promise<void>): Promise<number> {
  let asked = 0;
  const note = (entries: readonly PerformanceEntry[]) => {
    for (const entry of entries) {
      const { kind, flags } = (entry as PerformanceNodeEntry).detail as Record<"kind" | "flags", number>;
      const young = kind === constants.NODE_PERFORMANCE_GC_MINOR;
      if (young && (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) asked++;
    }
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  await work();
  note(observer.takeRecords());
  observer.disconnect();
  return asked;
}

test("the machine collects what is young when the pause has it do so, and nobody else can ask for that", async () => {
  const { pause, close } = openCollecting();
  const kept: object[] = [];
  const asked = await askedFor(async () => {
    for (let slice = 0; slice < 400; slice++) {
      for (let at = 0; at < 500; at++) kept.push({ slice, at, text: [`${slice}`, `${at}`] });
      await pause();
    }
  });
  close();
  expect(kept).toHaveLength(200_000);
  expect(asked).toBeGreaterThan(0);
  expect("gc" in globalThis).toBe(false);
});

test("the machine collects what is young in a wait, once there is some of it, until that is not wanted any more", async () => {
  const { onWait, close } = openCollecting();
  let held: object[] = [];
  const asked = await askedFor(async () => {
    for (let call = 0; call < 200; call++) {
      held = Array.from({ length: 500 }, (_, at) => ({ at, text: [`${call}`, `${at}`] }));
      onWait?.();
      await turnOfTheLoop();
    }
  });
  close();
  expect(held).toHaveLength(500);
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThan(50);
});
