import type { Tracked } from "./trail.ts";

/** A record that left a trail, and where it stands. */
export interface Trailed extends Tracked {
  /** The session that was opened, which the record's session is or descends from. */
  readonly run: string;
}

/** How far a writer's records were read. */
export type Cursors = ReadonlyMap<bigint, bigint>;

/** What breakers need of a store. */
export interface BehaviourStore {
  /** The newest records of a run from an id on, at most so many; in any order. */
  latest(tenant: string, run: string, fromId: string, recordsMax: number): Promise<Tracked[]>;
  /**
   * What writers of other replicas recorded since the cursors, and the cursors after it. The first time, without
   * cursors: nothing, and where they stand. A writer's rows become visible in the order of their numbers, so none is
   * passed by.
   */
  since(cursors: Cursors | undefined): Promise<{ readonly cursors: Cursors; readonly records: readonly Trailed[] }>;
  /** What operators have set aside, of all tenants, as far back as breakers remember. */
  resets(): Promise<Reset[]>;
}

/** That an operator set aside what was counted until then. */
export interface Reset {
  readonly tenant: string;
  readonly run: string;
  /** Undefined: all tools. */
  readonly tool: string | undefined;
  readonly atMs: number;
}
