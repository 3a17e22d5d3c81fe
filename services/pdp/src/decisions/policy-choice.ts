import { Fault } from "../foundation/fault.ts";
import type { PolicyStore, StoredPage, StoredPolicy, VersionPlace } from "../policies/index.ts";

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

function refuseMissing(choices: readonly Choice[], found: readonly VersionPlace[]): void {
  const has = ({ policy, version }: Choice) =>
    found.some((one) => one.policy === policy && (version === 0 || one.version === version));
  const missing = choices.find((choice) => !has(choice));
  if (missing) throw unknownVersion(missing);
}

/** Versions with their documents, in the order of the choices. */
export async function storedPolicies(
  policies: PolicyStore,
  tenant: string,
  choices: readonly Choice[],
): Promise<readonly StoredPolicy[]> {
  const found = await policies.stored(tenant, choices);
  refuseMissing(
    choices,
    found.map(({ version }) => version),
  );
  return found;
}

/** As much of the same as a page of so many bytes holds. That all are there is seen on every page. */
export async function storedPage(
  policies: PolicyStore,
  tenant: string,
  choices: readonly Choice[],
  bytesMax: number,
): Promise<StoredPage> {
  const page = await policies.storedPage(tenant, choices, bytesMax);
  refuseMissing(choices, page.heads);
  return page;
}
