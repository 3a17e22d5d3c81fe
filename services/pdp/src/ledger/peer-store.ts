import type { TimeSample } from "../foundation/store-time.ts";

/** What one look at the replicas of a cell told, and the store's time of it. */
export interface Beat extends TimeSample {
  /** Whether the replica that looked is still one. Once false, false for ever. */
  readonly alive: boolean;
  /** The counters of the others that move one. */
  readonly counters: ReadonlyMap<string, bigint>;
}

/** What a replica needs to be seen by the others, and to shut one out. */
export interface PeerStore {
  /** Moves this replica's counter and reads the others', in one statement on a connection of its own. */
  beat(): Promise<Beat>;
  /**
   * Shuts a replica out for ever: once this resolves nothing of it can be recorded any more. Answers whether it was a
   * replica until now. May be repeated, and any number may do it at once.
   */
  fenceReplica(replica: string): Promise<boolean>;
  close(): Promise<void>;
}
