import { Fault } from "../foundation/fault.ts";
import type { Caller } from "../identities/index.ts";
import type { PastActivation, Snapshot } from "../policies/index.ts";
import { type Activated, createChosen, createCommit } from "./commit-policies.ts";
import type { LifecycleRooms } from "./lifecycle.ts";
import { type Choice, unknownVersion } from "./policy-choice.ts";
import { requireFit } from "./policy-set.ts";
import { rollbackTarget } from "./rollback-target.ts";

/** What changes which versions are in force. Each is one revision, or nothing; `expected` refuses when the tenant has moved on. */
export interface InForce {
  /** Puts versions in force. */
  activate(caller: Caller, choices: readonly Choice[], expected: bigint | undefined): Promise<Activated>;
  /** Takes policies out of force. Each must be in force. */
  deactivate(caller: Caller, names: readonly string[], expected: bigint | undefined): Promise<Activated>;
  /** Puts back what was in force: version 0 is what was before the version that is. */
  rollback(caller: Caller, choices: readonly Choice[], expected: bigint | undefined): Promise<Activated>;
}

function nothingToGoBackTo(policy: string, message: string, fix: string): Fault {
  return new Fault("precondition", "nothing_to_roll_back", `${policy}: ${message}`, { field: "choices", fix });
}

/** The version that one policy goes back to. Throws when there is none, or when the one that is asked for is none. */
function targetOf({ policy, version }: Choice, history: readonly PastActivation[]): number {
  const past = history.filter((one) => one.policy === policy);
  const inForce = past.at(-1)?.living ? past.at(-1)?.version : undefined;
  if (version === 0) {
    const target = rollbackTarget(past);
    if (target !== undefined) return target;
    const [message, fix] =
      past.length === 0
        ? ["no version of it was ever in force", `put one in force: remit policy activate ${policy}`]
        : [
            "nothing was in force before the version that is",
            `take it out of force: remit policy deactivate ${policy}`,
          ];
    throw nothingToGoBackTo(policy, message ?? "", fix ?? "");
  }
  if (version === inForce) {
    throw nothingToGoBackTo(policy, `version ${version} is in force`, "name an earlier version, or none");
  }
  if (past.some((one) => one.version === version)) return version;
  throw nothingToGoBackTo(
    policy,
    `version ${version} was never in force`,
    `to put it in force for the first time: remit policy activate ${policy}@${version}`,
  );
}

/** By whom a change is made and against what it was checked; and the rollout that it ends, as the store will. */
function checkedAt(
  caller: Caller,
  now: Snapshot,
  named: readonly { readonly policy: string; readonly version: number | undefined }[],
) {
  const changes = new Map(named.map(({ policy, version }) => [policy, version]));
  const inForce = new Map(now.policies.map(({ document, version }) => [document.metadata.name, version]));
  const overtaken = now.rollout?.policies.some(({ document: { metadata } }) => {
    return changes.has(metadata.name) && changes.get(metadata.name) !== inForce.get(metadata.name);
  });
  return { by: caller.id, expected: now.revisions, overtakes: overtaken ? now.rollout?.id : undefined };
}

export function createInForce({ snapshots, policies, change }: LifecycleRooms): InForce {
  const { at, make } = createCommit({ snapshots, change });
  const chosenFrom = createChosen({ policies });

  return {
    async activate(caller, choices, expected) {
      const now = await at(caller, expected);
      const chosen = await chosenFrom(caller, choices);
      await requireFit(snapshots, now, chosen);
      const exact = chosen.map(({ document, version }) => ({ policy: document.metadata.name, version }));
      const checked = checkedAt(caller, now, exact);
      return make(caller, { kind: "policies_activated", choices: exact, ...checked }, expected);
    },
    async deactivate(caller, names, expected) {
      const now = await at(caller, expected);
      // As the store has it: a policy that does not compile can be taken out of force, too.
      const active = new Set((await policies.versionsInForce(caller.tenant)).map(({ policy }) => policy));
      const missing = names.find((name) => !active.has(name));
      if (missing !== undefined || names.length === 0) {
        throw new Fault("missing", "policy_unknown", `no such policy is in force: ${missing ?? "none was named"}`, {
          field: "policies",
        });
      }
      // No policy reads anything of another: what is left compiles.
      const named = names.map((policy) => ({ policy, version: undefined }));
      const checked = checkedAt(caller, now, named);
      return make(caller, { kind: "policies_deactivated", policies: names, ...checked }, expected);
    },
    async rollback(caller, choices, expected) {
      const now = await at(caller, expected);
      if (choices.length === 0) throw unknownVersion(undefined);
      const names = choices.map(({ policy }) => policy);
      const history = await policies.history(caller.tenant, names);
      const known = await policies.documents(caller.tenant, choices);
      const missing = choices.find(({ policy }) => !known.some(({ document }) => document.metadata.name === policy));
      if (missing) throw unknownVersion(missing);
      const targets = choices.map((choice) => ({ policy: choice.policy, version: targetOf(choice, history) }));
      const chosen = await policies.documents(caller.tenant, targets);
      await requireFit(snapshots, now, chosen);
      const exact = targets.map((target) => ({
        ...target,
        from: history.find(({ policy, living }) => living && policy === target.policy)?.version,
      }));
      const checked = checkedAt(caller, now, exact);
      return make(caller, { kind: "policies_rolled_back", choices: exact, ...checked }, expected);
    },
  };
}
