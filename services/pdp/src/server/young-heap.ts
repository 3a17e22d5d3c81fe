import { constants, type PerformanceEntry, type PerformanceNodeEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Pause } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { createCollectingInWaits } from "./collecting-in-waits.ts";
import { createCollectingPause, type YoungHeap } from "./collecting-pause.ts";

type Collect = (options: { readonly type: "minor" }) => void;

/** The machine's own function, which no script of this process sees; undefined where it has none. */
function findCollect(): Collect | undefined {
  try {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("globalThis.gc");
    setFlagsFromString("--no-expose-gc");
    return typeof found === "function" ? (found as Collect) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the machine says of its collections: that one of everything begins, and that one has ended. Between the two it
 * collects nothing young.
 */
function watchMarking() {
  let marking = false;
  const note = (entries: readonly PerformanceEntry[]) => {
    for (const entry of entries) {
      const { kind } = (entry as PerformanceNodeEntry).detail as { readonly kind: number };
      if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) marking = true;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR || kind === constants.NODE_PERFORMANCE_GC_MINOR) marking = false;
    }
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  return {
    isMarking() {
      // What was said since the last turn has not been told yet.
      note(observer.takeRecords());
      return marking;
    },
    close: () => observer.disconnect(),
  };
}

/** What is told something was there before, and what is young then hangs on all of that: collecting it takes twice as long. */
const CROWD_COLLECTED_BYTES = 1.5 * 1024 * 1024;

const momentOfRest: Pause = () => new Promise((resolve) => setTimeout(resolve, 1));

/** When little of what is young is collected at a time, instead of much at any time. */
export interface Collecting {
  /** While long work goes on whose results stay in use. */
  readonly pause: Pause;
  /** While very many are told something: the same, but for resting, and less at a time. */
  readonly crowdPause: Pause;
  /** To be called while nothing is waited for but the store; undefined where that would do nothing. */
  readonly onWait: (() => void) | undefined;
  close(): void;
}

/**
 * Has what is young collected for as long as this process wants that. Where the machine cannot be asked to, the pause is a
 * turn of the event loop and no more.
 */
export function openCollecting(): Collecting {
  const collect = findCollect();
  if (!collect) return { pause: turnOfTheLoop, crowdPause: turnOfTheLoop, onWait: undefined, close: () => {} };
  const { isMarking, close } = watchMarking();
  const heap: YoungHeap = {
    usedBytes: () => getHeapStatistics().used_heap_size,
    isMarking,
    collect: () => collect({ type: "minor" }),
  };
  const brisk = { heap, turn: turnOfTheLoop, nowMs: () => performance.now() };
  const pause = createCollectingPause({ ...brisk, rest: momentOfRest });
  const crowdPause = createCollectingPause({ ...brisk, collectedBytes: CROWD_COLLECTED_BYTES });
  return { pause, crowdPause, onWait: createCollectingInWaits(heap), close };
}
