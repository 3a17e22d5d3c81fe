import type { YoungHeap } from "./collecting-pause.ts";

/** Of what is newly allocated: how much there is before it is collected. With a caller alone most of it is garbage. */
const COLLECTED_BYTES = 3 * 1024 * 1024;

/**
 * What to do while the one answer that is waited for is the store's: what is young is collected there and then, once there
 * is some of it. The machine by itself would do so when much more has been allocated, which takes longer, and in the
 * middle of some call's own work. While everything is being collected nothing is asked for.
 */
export function createCollectingInWaits(heap: YoungHeap): () => void {
  let fromBytes = heap.usedBytes();
  return () => {
    const usedBytes = heap.usedBytes();
    // The machine has collected by itself.
    if (usedBytes < fromBytes) fromBytes = usedBytes;
    if (usedBytes - fromBytes < COLLECTED_BYTES || heap.isMarking()) return;
    heap.collect();
    fromBytes = heap.usedBytes();
  };
}
