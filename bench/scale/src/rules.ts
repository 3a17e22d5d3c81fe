import { tenantOf } from "../../growth/src/tenant.ts";
import { clientsOf } from "../../src/remit/clients.ts";
import type { Served } from "../../src/remit/serve.ts";

/** Puts rules in force beside those that are: on tools that the measured call does not name. */
export async function addRules(served: Served, count: number): Promise<void> {
  const { policies } = tenantOf("other tools", count);
  const { policy } = clientsOf(served, served.ownerKey);
  for (const { document } of policies.slice(1)) {
    const files = [{ file: `${document.metadata.name}.json`, text: JSON.stringify(document) }];
    const { versions } = await policy.publishPolicies({ files });
    await policy.activatePolicies({ choices: versions.map(({ policy, version }) => ({ policy, version })) });
  }
}
