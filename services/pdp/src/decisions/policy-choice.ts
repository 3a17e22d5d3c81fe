import { Fault } from "../foundation/fault.ts";
import type { PolicyStore, StoredPolicy } from "../policies/index.ts";

/** A version of a policy; 0 is the newest. */
export interface Choice {
  readonly policy: string;
  readonly version: number;
}

/** The fault for a choice that names nothing, or for no choice where one is needed. */
export function unknownVersion(choice: Choice | undefined): Fault {
  const name = choice ? `${choice.policy} version ${choice.version || "newest"}` : "none was named";
  return new Fault("missing", "policy_unknown", `there is no such version of a policy: ${name}`, { field: "choices" });
}

/** Versions with their documents, in the order of the choices; without choices what is in force. */
export async function storedPolicies(
  policies: PolicyStore,
  tenant: string,
  choices: readonly Choice[],
): Promise<readonly StoredPolicy[]> {
  const found = await policies.stored(tenant, choices);
  const has = ({ policy, version }: Choice) =>
    found.some((one) => one.version.policy === policy && (version === 0 || one.version.version === version));
  const missing = choices.find((choice) => !has(choice));
  if (missing) throw unknownVersion(missing);
  return found;
}
