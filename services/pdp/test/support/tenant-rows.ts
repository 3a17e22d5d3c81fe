import { parseDocuments } from "@remit/engine";
import { silentLog } from "../../src/foundation/log.ts";
import type { PolicyStore, TenantRows } from "../../src/policies/policy-store.ts";

/** What a store says of a tenant with one policy of one rule, and an agent that is named by the revision. */
export function tenantRows(security: bigint, policy: bigint, rule = "effect: allow"): TenantRows {
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { rules: [{ id: r, match: { tools: ["*"] }, ${rule} }] }
---
apiVersion: remit/v1
kind: Agent
metadata: { name: agent-${security} }
spec: {}
`;
  const { documents, problems } = parseDocuments([{ file: "rows.yaml", text }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return {
    revisions: { security, policy },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: Number(policy), digest: `sha256:${policy}` })),
    tools: [],
    agents: documents.agents.map((document) => ({ document, digest: "sha256:a" })),
    ...{ budgets: [], groups: [], revocations: [] },
  };
}

/** A store whose loads a test answers one by one. */
export function slowStore() {
  const waiting: ((answer: TenantRows) => void)[] = [];
  const load = () => new Promise<TenantRows>((resolve) => waiting.push(resolve));
  const store = { load, versions: async () => [], documents: async () => [] } as Partial<PolicyStore> as PolicyStore;
  return { store, waiting };
}

/** Nobody listens, and time stands still. */
export const nothing = { log: silentLog, clock: { now: () => 0 } };
