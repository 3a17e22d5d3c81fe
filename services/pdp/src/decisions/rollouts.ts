import { Fault, invalid } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import { type RolloutInfo, type Snapshot, WHOLE_BASIS_POINTS } from "../policies/index.ts";
import { createChosen, createCommit } from "./commit-policies.ts";
import type { LifecycleRooms } from "./lifecycle.ts";
import type { Choice } from "./policy-choice.ts";
import { requireFit } from "./policy-set.ts";

/** A rollout after a change of it. */
export interface RolledOut {
  readonly rollout: RolloutInfo;
  readonly revision: bigint;
  readonly policyDigest: string;
}

/**
 * Versions that are tried beside those in force: every call is judged by both, and for a share of the sessions they
 * decide. One rollout of a tenant at a time. Without an id the one under way is meant; `expected` refuses when the
 * tenant has moved on.
 */
export interface Rollouts {
  startRollout(
    caller: Caller,
    choices: readonly Choice[],
    shareBasisPoints: number,
    expected: bigint | undefined,
  ): Promise<RolledOut>;
  /** A share only grows: what was decided by the candidate for a session goes on to be. */
  setRolloutShare(
    caller: Caller,
    id: string | undefined,
    shareBasisPoints: number,
    expected: bigint | undefined,
  ): Promise<RolledOut>;
  /** Puts the versions in force, in one revision with the end of the rollout. */
  promoteRollout(caller: Caller, id: string | undefined, expected: bigint | undefined): Promise<RolledOut>;
  abortRollout(caller: Caller, id: string | undefined, expected: bigint | undefined): Promise<RolledOut>;
}

const ENDS = { promoted: "was promoted", aborted: "was called off", overtaken: "ended when its policies were changed" };

export function rolloutMissing(last: RolloutInfo | null): Fault {
  const message = last?.ended ? `rollout ${last.id} ${ENDS[last.ended.as]}` : "there is no rollout";
  return new Fault("missing", "rollout_missing", message, {
    field: "rollout_id",
    fix: "begin one: remit policy candidate POLICY@VERSION",
  });
}

function requireShare(shareBasisPoints: number): void {
  if (shareBasisPoints <= WHOLE_BASIS_POINTS) return;
  throw invalid("share_basis_points", "a share is at most the whole", { limit: `${WHOLE_BASIS_POINTS} basis points` });
}

const versionInForce = ({ policies }: Snapshot, name: string) =>
  policies.find(({ document }) => document.metadata.name === name)?.version;

export function createRollouts(rooms: LifecycleRooms): Rollouts {
  const { snapshots, policies, clock, newId } = rooms;
  const { at, make } = createCommit(rooms);
  const chosenFrom = createChosen(rooms);

  const living = async (caller: Caller, id: string | undefined): Promise<RolloutInfo> => {
    const found = await policies.rollout(caller.tenant, id);
    if (!found || found.ended) throw rolloutMissing(found);
    return found;
  };

  const after = async (caller: Caller, id: string, made: Pick<RolledOut, "revision" | "policyDigest">) => {
    const rollout = await policies.rollout(caller.tenant, id);
    if (!rollout) throw rolloutMissing(null);
    return { ...made, rollout };
  };

  /** The tried versions with their documents; they must still fit. */
  const triedFrom = async (caller: Caller, now: Snapshot, { versions }: RolloutInfo) => {
    const tried = await policies.documents(caller.tenant, versions);
    await requireFit(snapshots, now, tried);
    return versions.map(({ policy, version }) => ({ policy, version, from: versionInForce(now, policy) }));
  };

  return {
    async startRollout(caller, choices, shareBasisPoints, expected) {
      requireShare(shareBasisPoints);
      const now = await at(caller, expected);
      const under = await policies.rollout(caller.tenant, undefined);
      if (under && !under.ended) {
        throw new Fault("precondition", "rollout_exists", `rollout ${under.id} is under way`, {
          fix: "promote it or call it off first: remit policy promote, remit policy abort",
        });
      }
      const chosen = await chosenFrom(caller, choices);
      const same = chosen.find(({ document, version }) => versionInForce(now, document.metadata.name) === version);
      if (same) throw invalid("choices", `${same.document.metadata.name}@${same.version} is in force already`);
      await requireFit(snapshots, now, chosen);
      const exact = chosen.map(({ document: { metadata }, version }) => ({
        ...{ policy: metadata.name, version, from: versionInForce(now, metadata.name) },
      }));
      const rollout = newId(clock.now());
      const what = { rollout, choices: exact, shareBasisPoints, by: caller.id, expected: now.revisions };
      return after(caller, rollout, await make(caller, { kind: "rollout_started", ...what }, expected));
    },
    async setRolloutShare(caller, id, shareBasisPoints, expected) {
      requireShare(shareBasisPoints);
      const now = await at(caller, expected);
      const found = await living(caller, id);
      if (shareBasisPoints < found.shareBasisPoints) {
        throw new Fault("precondition", "rollout_share_lowered", "a share only grows", {
          field: "share_basis_points",
          limit: `at least ${found.shareBasisPoints} basis points`,
          fix: "call the rollout off, and begin another: remit policy abort",
        });
      }
      await triedFrom(caller, now, found);
      const what = { rollout: found.id, shareBasisPoints, by: caller.id, expected: now.revisions };
      return after(caller, found.id, await make(caller, { kind: "rollout_share_set", ...what }, expected));
    },
    async promoteRollout(caller, id, expected) {
      const now = await at(caller, expected);
      const found = await living(caller, id);
      const choices = await triedFrom(caller, now, found);
      const what = { rollout: found.id, choices, by: caller.id, expected: now.revisions };
      return after(caller, found.id, await make(caller, { kind: "rollout_promoted", ...what }, expected));
    },
    async abortRollout(caller, id, expected) {
      const now = await at(caller, expected);
      const found = await living(caller, id);
      const what = { rollout: found.id, by: caller.id, expected: now.revisions };
      return after(caller, found.id, await make(caller, { kind: "rollout_aborted", ...what }, expected));
    },
  };
}
