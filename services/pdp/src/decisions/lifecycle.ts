import type { Clock } from "../foundation/clock.ts";
import type { TurnRoom } from "../foundation/turn-room.ts";
import type { Ledger } from "../ledger/index.ts";
import type { PolicyStore, Snapshots } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { createInForce, type InForce } from "./in-force.ts";
import { createPublishing, type Publishing } from "./publishing.ts";
import type { ReadFiles } from "./reading.ts";
import { createRolloutViews, type RolloutViews } from "./rollout-views.ts";
import { createRollouts, type Rollouts } from "./rollouts.ts";

/** From a file to a policy in force, in steps that several people may take. */
export interface Lifecycle extends Publishing, InForce, Rollouts, RolloutViews {}

/** What the parts of a version's life share. */
export interface LifecycleRooms {
  readonly snapshots: Snapshots;
  readonly policies: PolicyStore;
  readonly change: MakeChange;
  readonly read: ReadFiles;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: (nowMs: number) => string;
  /** Where those who look through entries take turns. */
  readonly turns: TurnRoom;
}

export function createLifecycle(rooms: LifecycleRooms): Lifecycle {
  return {
    ...createPublishing(rooms),
    ...createInForce(rooms),
    ...createRollouts(rooms),
    ...createRolloutViews(rooms),
  };
}
