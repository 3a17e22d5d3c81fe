import { parseDocuments } from "../../../services/engine/src/index.ts";
import type { Ask, Asker } from "../../../services/pdp/src/decisions/ask.ts";
import { judge } from "../../../services/pdp/src/decisions/judge.ts";
import { silentLog } from "../../../services/pdp/src/foundation/log.ts";
import { strictObject } from "../../../services/pdp/src/foundation/strict-json.ts";
import type { Session } from "../../../services/pdp/src/identities/index.ts";
import { createSnapshots, type Revocable, type Snapshot } from "../../../services/pdp/src/policies/index.ts";
import { median, pairedRatio } from "../../src/load/statistics.ts";

const nowMs = Date.parse("2026-03-01T09:00:00Z");
const callsARun = 20_000;
const warmUpCalls = 60_000;

const documents = `apiVersion: remit/v1
kind: Agent
metadata: { name: clerk }
spec: { labels: { team: finance, level: "2" }, ceiling: { tools: ["*"] } }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: pay }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { rules: [{ id: all, match: { tools: [pay] }, when: input.amount < 5, effect: allow }] }
`;

/** What is revoked beside a call that none of it is about. */
const cases = {
  nothing: { names: 0, halts: 0, labels: 0 },
  "20,000 names": { names: 20_000, halts: 0, labels: 0 },
  "64 halts of 1 label": { names: 0, halts: 64, labels: 1 },
  "64 halts of 16 labels": { names: 0, halts: 64, labels: 16 },
} as const;

type Case = keyof typeof cases;

/** Names of every kind, and halts that match but for their last label. */
function revocations({ names, halts, labels: each }: (typeof cases)[Case]): Revocable[] {
  const kinds = ["agent", "session", "principal", "tool"] as const;
  const named = Array.from({ length: names }, (_, at) => ({
    ...{ kind: kinds[at % kinds.length] ?? "agent", subject: `other-${at}`, labels: {} },
  }));
  const halted = Array.from({ length: halts }, (_, at): Revocable => {
    const labels = Object.fromEntries(Array.from({ length: each - 1 }, (__, label) => [`l${label}`, "yes"]));
    return { kind: "labels", subject: `${at}`, labels: { ...labels, last: `${at}` } };
  });
  return [...named, ...halted];
}

async function snapshotOf(one: (typeof cases)[Case]): Promise<Snapshot> {
  const read = parseDocuments([{ file: "bench.yaml", text: documents }]).documents;
  const digest = `sha256:${"0".repeat(64)}`;
  const row = <Document>(document: Document) => ({ document, digest });
  const rows = {
    ...{ revisions: { security: 1n, policy: 1n }, budgets: [], groups: [], revocations: revocations(one) },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" } as const,
    policies: read.policies.map((document) => ({ document, version: 1, digest })),
    ...{ tools: read.tools.map(row), agents: read.agents.map(row) },
  };
  const fingerprint = () => Promise.reject(new Error("nobody compares here"));
  const store = { load: async () => rows, revisions: async () => rows.revisions, read: fingerprint, fingerprint };
  return createSnapshots({ store, clock: { now: () => 0 }, log: silentLog }).current("t");
}

/** It carries all but one label of every halt. */
const session: Session = {
  ...{ id: "s", tenant: "t", agent: "clerk", purpose: "", scope: undefined, runId: undefined, state: "open" },
  labels: Object.fromEntries(Array.from({ length: 15 }, (_, label) => [`l${label}`, "yes"])),
  ...{ parent: undefined, ancestors: [], depth: 0, openedBy: "c", details: {} },
  ...{ openedAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, principal: { id: "mia", verified: false, labels: {} } },
};
const asker: Asker = {
  ...{ security: 1n, session },
  caller: {
    ...{ id: "c", tenant: "t", name: "c", roles: [], agents: ["*"], mayAssertPrincipals: false },
    ...{ revoked: false, createdAtMs: nowMs },
  },
};
const ask: Ask = {
  ...{ callId: "c1", tool: "pay", input: strictObject({ amount: 1 }, "input") },
  ...{ context: strictObject({}, "context"), answers: strictObject({}, "answers"), estimate: [], schemaDigest: "" },
  ...{ approvalId: "", supportedConstraints: [], wantPermit: false, minRevision: 0n, traceId: "", withinMs: 1_000 },
};

/** CPU time of one judgement in nanoseconds, over a run of them. */
function run(snapshot: Snapshot, calls: number): number {
  const began = process.threadCpuUsage();
  for (let call = 0; call < calls; call++) {
    const { verdict } = judge(snapshot, asker, ask, 1, nowMs);
    if (verdict.code !== "rule_allowed") throw new Error(`a measured call ended with ${verdict.code}`);
  }
  const { user, system } = process.threadCpuUsage(began);
  return ((user + system) * 1000) / calls;
}

export interface Check {
  readonly beside: Case;
  readonly ns: number;
  /** To the same beside nothing, of runs that stood side by side. */
  readonly ratio: number;
}

/** What judging a call costs beside revocations that are not about it. */
export async function measureCheck(rounds: number): Promise<Check[]> {
  const names = Object.keys(cases) as Case[];
  const snapshots = await Promise.all(names.map((name) => snapshotOf(cases[name])));
  for (const snapshot of snapshots) run(snapshot, warmUpCalls);
  const runs = names.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const order = snapshots.map((_, at) => at);
    for (const at of round % 2 === 0 ? order : order.reverse()) {
      runs[at]?.push(run(snapshots[at] as Snapshot, callsARun));
    }
  }
  return names.map((beside, at) => ({
    beside,
    ns: median(runs[at] ?? []),
    ratio: pairedRatio(runs[at] ?? [], runs[0] ?? []).median,
  }));
}
