import type { Pause } from "../foundation/in-slices.ts";

/** What is collected at once, unless it is said to be less. Moving it takes about a millisecond where most of it stays in use. */
const COLLECTED_BYTES = 3 * 1024 * 1024;
/** How much is laid out while everything is being collected, before the work rests. */
const RESTING_BYTES = 256 * 1024;
/** What took longer than any slice waited for something: what was allocated meanwhile was others'. */
const SLICE_MS_MAX = 20;
/** How long work rests, at most, for one collection of everything to come to its end: as long as it takes for some 200 MB. */
const REST_MS_MAX = 400;

/** What is newly allocated in this process, and its collection. */
export interface YoungHeap {
  /** Of everything that is allocated. */
  usedBytes(): number;
  /**
   * Whether a collection of everything is under way, beside what runs. Until it has ended, nothing young is collected:
   * asking for that would end it at once, in one piece.
   */
  isMarking(): boolean;
  /** Collects what is young, in one piece. */
  collect(): void;
}

interface Options {
  readonly heap: YoungHeap;
  /** Lets the event loop turn. */
  readonly turn: Pause;
  /** Waits for a moment. Absent: the work never rests, since somebody waits for it. */
  readonly rest?: Pause;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Of what is newly allocated: what is collected at once. */
  readonly collectedBytes?: number;
}

/**
 * A pause for long work whose results stay in use, such as compiling. What is young is collected by the machine once there is
 * much of it, and what is still in use is moved then, in one piece: where nearly all of it is, that holds the thread for
 * longer than anything else. So this pause has it collected before, little at a time and in turns of its own. While
 * everything is being collected it rests instead, for a while: what is young would all be moved at the end of that.
 */
export function createCollectingPause(options: Options): Pause {
  const { heap, turn, rest, nowMs, collectedBytes = COLLECTED_BYTES } = options;
  let [fromBytes, fromMs] = [0, -Infinity];
  let laidOutBytes = 0;
  // What is left of resting for the collection that is under way.
  let restMs = REST_MS_MAX;
  const tidy = async () => {
    const beganMs = nowMs();
    while (rest && heap.isMarking() && nowMs() - beganMs < restMs) await rest();
    if (heap.isMarking()) {
      restMs = 0;
      return;
    }
    restMs = REST_MS_MAX;
    // Another piece of work may have rested too, and been quicker.
    if (laidOutBytes < collectedBytes) return;
    laidOutBytes = 0;
    heap.collect();
    await turn();
  };
  return async () => {
    const grownBytes = heap.usedBytes() - fromBytes;
    if (grownBytes > 0 && nowMs() - fromMs < SLICE_MS_MAX) laidOutBytes += grownBytes;
    await turn();
    if (laidOutBytes >= collectedBytes || (laidOutBytes >= RESTING_BYTES && heap.isMarking())) await tidy();
    fromBytes = heap.usedBytes();
    fromMs = nowMs();
  };
}
