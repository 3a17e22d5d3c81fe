import type { PolicyStore, Snapshots } from "../policies/index.ts";
import type { MakeChange } from "./changes.ts";
import { createInForce, type InForce } from "./in-force.ts";
import { createPublishing, type Publishing } from "./publishing.ts";
import type { ReadFiles } from "./reading.ts";

/** From a file to a policy in force, in steps that several people may take. */
export interface Lifecycle extends Publishing, InForce {}

/** What the parts of a version's life share. */
export interface LifecycleRooms {
  readonly snapshots: Snapshots;
  readonly policies: PolicyStore;
  readonly change: MakeChange;
  readonly read: ReadFiles;
}

export function createLifecycle(rooms: LifecycleRooms): Lifecycle {
  return { ...createPublishing(rooms), ...createInForce(rooms) };
}
