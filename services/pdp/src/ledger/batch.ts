import type { Waiting } from "./queue.ts";

/** Records of one statement, while they are gathered. */
export interface Batch {
  readonly taken: Waiting[];
  /** `full`: the batch ends before it. `twice`: its id is there already, and the store tells rows apart by their ids. */
  offer(waiting: Waiting): "taken" | "full" | "twice";
}

/** What one statement may carry: writing it down holds the thread that decides. */
export interface BatchLimits {
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  readonly batchMovesMax: number;
}

export function startBatch(limits: BatchLimits): Batch {
  const taken: Waiting[] = [];
  const ids = new Set<string>();
  let bytes = 0;
  let moves = 0;
  return {
    taken,
    offer: (waiting) => {
      const { id, charge } = waiting.record;
      if (ids.has(id)) return "twice";
      const itsMoves = charge ? charge.moves.length : 0;
      const tooHeavy = bytes + waiting.bytes > limits.batchBytesMax || moves + itsMoves > limits.batchMovesMax;
      // A record heavier than a whole batch travels alone.
      if ((tooHeavy && taken.length > 0) || taken.length === limits.batchRecordsMax) return "full";
      ids.add(id);
      bytes += waiting.bytes;
      moves += itsMoves;
      taken.push(waiting);
      return "taken";
    },
  };
}
