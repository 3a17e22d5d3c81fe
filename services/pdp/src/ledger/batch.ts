import type { Waiting } from "./queue.ts";

/** Records of one statement, while they are gathered. */
export interface Batch {
  readonly taken: Waiting[];
  /** `full`: the batch ends before it. `twice`: its id is there already, and the store tells rows apart by their ids. */
  offer(waiting: Waiting): "taken" | "full" | "twice";
}

export function startBatch(limits: { readonly batchRecordsMax: number; readonly batchBytesMax: number }): Batch {
  const taken: Waiting[] = [];
  const ids = new Set<string>();
  let bytes = 0;
  return {
    taken,
    offer: (waiting) => {
      if (ids.has(waiting.record.id)) return "twice";
      // A record heavier than a whole batch travels alone.
      const tooHeavy = taken.length > 0 && bytes + waiting.bytes > limits.batchBytesMax;
      if (tooHeavy || taken.length === limits.batchRecordsMax) return "full";
      ids.add(waiting.record.id);
      bytes += waiting.bytes;
      taken.push(waiting);
      return "taken";
    },
  };
}
