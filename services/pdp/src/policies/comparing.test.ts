import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { TenantRows } from "./policy-store.ts";
import { createSnapshots } from "./snapshots.ts";

const text = `{apiVersion: remit/v1, kind: Policy, metadata: {name: house}, spec: {rules: [{id: r, match: {tools: ["*"]}, effect: allow}]}}
---
{apiVersion: remit/v1, kind: Agent, metadata: {name: clerk}, spec: {}}
`;

function storedRows(): TenantRows {
  const { documents, problems } = parseDocuments([{ file: "rows.yaml", text }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return {
    revisions: { security: 1n, policy: 1n },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: 1, digest: "sha256:1" })),
    agents: documents.agents.map((document) => ({ document, digest: "sha256:a" })),
    ...{ tools: [], budgets: [], groups: [], revocations: [] },
  };
}

test("what is taken in the rows that a comparison reads is taken, though their policies do not compile", async () => {
  const fingerprintOf = (agents: string, policies: string) =>
    ({
      ...{ policies, rollout: "", tools: "", agents, budgets: "", groups: "", settings: "", revocations: "" },
    }) as never;
  const good = { ...storedRows(), fingerprint: fingerprintOf("a", "good") };
  const [agent] = good.agents;
  if (!agent) throw new Error("no agent");
  const suspended = { ...agent.document, spec: { ...agent.document.spec, status: "suspended" as const } };
  const broken: TenantRows = {
    ...{ ...good, revisions: { security: 2n, policy: 1n }, fingerprint: fingerprintOf("b", "broken") },
    agents: [{ ...agent, document: suspended }],
    policies: [{ document: { metadata: { name: "house" } } as never, version: 1, digest: "sha256:1" }],
  };
  let stored: TenantRows = good;
  const snapshots = createSnapshots({
    ...{ log: silentLog, clock: { now: () => 0 } },
    store: {
      load: async () => stored,
      read: () => Promise.reject(new Error("nothing is left out")),
      revisions: async () => stored.revisions,
      // An agent is suspended between the comparison and the load that it asks for.
      fingerprint: async () => ({ revisions: good.revisions, fingerprint: fingerprintOf("a", "broken") }),
    },
  });
  const before = await snapshots.current("t");
  stored = broken;
  expect(await snapshots.compare()).toEqual([{ tenant: "t", parts: ["policies"] }]);
  const after = snapshots.held("t");
  expect(after?.revisions.security).toBe(2n);
  expect(after?.agents.get("clerk")?.spec.status).toBe("suspended");
  expect(after?.policies).toEqual(before.policies);
  expect(after?.broken).toHaveLength(1);
});
