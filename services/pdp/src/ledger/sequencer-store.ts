import type { Gap } from "./sequence.ts";

/** What one turn came to. */
export type SequencerTurn =
  /** So many records got their places, which are then so many; `more`: others were there, or may have been. */
  | { readonly state: "placed"; readonly placed: number; readonly size: bigint; readonly more: boolean }
  /** Another replica is at it, or was a moment ago. */
  | { readonly state: "elsewhere" }
  | { readonly state: "stopped"; readonly gap: Gap };

/** The store's part of the sequencer. */
export interface SequencerStore {
  /**
   * Gives places to what has none, at most `recordsMax`, in one transaction; unless another replica is doing so, or did
   * within the last `pauseMs`.
   */
  turn(options: { readonly recordsMax: number; readonly pauseMs: number }): Promise<SequencerTurn>;
  close(): Promise<void>;
}
