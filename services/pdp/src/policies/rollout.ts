import type { Problem } from "@remit/engine";
import { Fault } from "../foundation/fault.ts";
import { isCanary } from "./canary.ts";
import type { ActivePolicy } from "./policy-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** Versions that are tried beside those in force, as they are stored. */
export interface RolloutRows {
  /** UUIDv7. */
  readonly id: string;
  /** Of all sessions: what they are asked is decided by these versions. */
  readonly shareBasisPoints: number;
  readonly policies: readonly ActivePolicy[];
}

/** A rollout with what decides for its sessions. */
export interface Rollout extends RolloutRows {
  /** The tenant with these versions in force; undefined when they do not compile and never did here. */
  readonly candidate: Snapshot | undefined;
  /** Why the newest rows did not compile with them. */
  readonly broken?: readonly Problem[];
}

/** What is in force with the versions of a rollout in their places; those of new policies come last. */
export function withRollout(
  policies: readonly ActivePolicy[],
  { policies: tried }: Pick<RolloutRows, "policies">,
): ActivePolicy[] {
  const nameOf = ({ document }: ActivePolicy) => document.metadata.name;
  const instead = new Map(tried.map((policy) => [nameOf(policy), policy]));
  const placed = policies.map((policy) => instead.get(nameOf(policy)) ?? policy);
  const names = new Set(policies.map(nameOf));
  return [...placed, ...tried.filter((policy) => !names.has(nameOf(policy)))];
}

export type RolloutSide = "active" | "candidate";

/** By what a session's calls are decided while versions are tried, and by what they are judged along. */
export interface Sides {
  readonly rollout: Rollout;
  readonly side: RolloutSide;
  readonly decides: Snapshot;
  /** Undefined where the candidate cannot be judged by. */
  readonly other: Snapshot | undefined;
}

/**
 * The side of a session, by the id of its root: what was delegated follows it. One of the canary is never decided by what is in force instead: if the candidate cannot be
 * judged by here, its calls are refused until it can, or the rollout ends.
 */
export function sidesOf(active: Snapshot, rollout: Rollout, rootSessionId: string): Sides {
  const { candidate } = rollout;
  if (!isCanary(rollout.id, rollout.shareBasisPoints, rootSessionId)) {
    return { rollout, side: "active", decides: active, other: candidate };
  }
  if (candidate) return { rollout, side: "candidate", decides: candidate, other: active };
  throw new Fault("unavailable", "policies_broken", "the versions that are rolled out to this session do not compile", {
    fix: "end the rollout (remit policy abort), or put tools in force that the versions fit; the log says what is wrong",
  });
}

/** The snapshot that decides a session's calls. */
export function decidingFor(active: Snapshot, rootSessionId: string): Snapshot {
  return active.rollout ? sidesOf(active, active.rollout, rootSessionId).decides : active;
}
