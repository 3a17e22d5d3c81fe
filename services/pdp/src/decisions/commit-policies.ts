import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { Snapshot } from "../policies/index.ts";
import { revisionNumber } from "./decision.ts";
import type { LifecycleRooms } from "./lifecycle.ts";
import type { PolicyChange } from "./policy-change.ts";
import { type Choice, unknownVersion } from "./policy-choice.ts";
import { movedOn, type Versioned } from "./policy-set.ts";

export interface Activated {
  readonly revision: bigint;
  readonly policyDigest: string;
}

function refuseDraft({ document, version }: Versioned): Fault {
  const { name } = document.metadata;
  return new Fault("precondition", "policy_draft", `${name}@${version} is a draft`, {
    field: "choices",
    fix: `have it validated first: remit policy validate ${name}@${version}`,
  });
}

/** Makes changes of what is in force that were checked against one revision. */
export function createCommit({ snapshots, change }: Pick<LifecycleRooms, "snapshots" | "change">) {
  const at = async (caller: Caller, expected: bigint | undefined): Promise<Snapshot> => {
    const now = await snapshots.refresh(caller.tenant);
    if (expected !== undefined && expected !== revisionNumber(now.revisions)) throw movedOn(expected, now);
    return now;
  };

  const make = async (caller: Caller, what: PolicyChange, expected: bigint | undefined): Promise<Activated> => {
    const moved = async () => movedOn(expected, await snapshots.refresh(caller.tenant));
    const applied = await change(caller, what).catch(async (error) => {
      throw error instanceof Fault && error.reason === "revision_conflict" ? await moved() : error;
    });
    if (!applied.ok) throw await moved();
    const after = await snapshots.current(caller.tenant);
    return { revision: revisionNumber(applied.value.revisions), policyDigest: after.policyDigest };
  };

  return { at, make };
}

/** Reads the chosen versions with their documents. Each must be there and be no draft. */
export function createChosen({ policies }: Pick<LifecycleRooms, "policies">) {
  return async (caller: Caller, choices: readonly Choice[]) => {
    const chosen = await policies.documents(caller.tenant, choices);
    const there = new Set(chosen.map(({ document }) => document.metadata.name));
    const missing = choices.find(({ policy }) => !there.has(policy));
    if (missing || choices.length === 0) throw unknownVersion(missing);
    const draft = chosen.find((one) => one.draft);
    if (draft) throw refuseDraft(draft);
    return chosen;
  };
}
