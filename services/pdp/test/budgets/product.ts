import { parseDocuments } from "@remit/engine";
import type { SpendingSettings } from "../../src/behaviour/index.ts";
import type { Asker } from "../../src/decisions/ask.ts";
import { silentLog } from "../../src/foundation/log.ts";
import type { Caller, Link } from "../../src/identities/index.ts";
import { createSnapshots, type Snapshot, type Snapshots } from "../../src/policies/index.ts";
import { type Declared, START_MS, TENANT } from "./world-port.ts";

const MINUTE_MS = 60_000;

/** What the simulated tenant declares. A window of minutes stands for a day: the store alone knows how long one is. */
export const DECLARED: readonly Declared[] = [
  { name: "day", unit: "EUR", hard: true, windowMs: 10 * MINUTE_MS },
  { name: "life", unit: "EUR", hard: true, windowMs: undefined },
  { name: "watched", unit: "EUR", hard: false, windowMs: 10 * MINUTE_MS },
  { name: "shop", unit: "EUR", hard: true, windowMs: undefined, per: "input.shop" },
  { name: "count", unit: "calls", hard: true, windowMs: undefined },
  { name: "run", unit: "EUR", hard: true, windowMs: undefined, bySession: true },
  { name: "usual", unit: "EUR", hard: true, windowMs: 10 * MINUTE_MS, per: "agent", anomaly: true },
];

/** How what an agent spends is judged. */
export const USUAL: SpendingSettings = { deviations: 1, windowsMin: 3, floor: 1_000_000n };

/** What a call of a shop that may not be asked for is made one of. */
export const MOVED = { from: "east", to: "south" } as const;
/** What a call of `plain` may cost beyond what was held for it. */
export const TOLERATED_PERCENT = 60n;

const windowOf = ({ windowMs, bySession }: Declared) =>
  bySession ? "session" : windowMs === undefined ? "lifetime" : "day";

const budgetText = (budget: Declared) => `---
apiVersion: remit/v1
kind: Budget
metadata: { name: ${budget.name} }
spec:
  unit: ${budget.unit}
  limit: "1000"
  window: ${windowOf(budget)}
  enforcement: ${budget.hard ? "hard" : "soft"}
  ${budget.per === undefined ? "" : `per: [${budget.per}]`}
  ${budget.anomaly ? `anomaly: { deviations: ${USUAL.deviations}, windowsMin: ${USUAL.windowsMin}, floor: "1" }` : ""}
`;

const DOCUMENTS = `apiVersion: remit/v1
kind: Tool
metadata: { name: plain }
spec: { risk: write, tolerance: ${TOLERATED_PERCENT}% }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: tried }
spec: { risk: write, mode: observe }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: booked }
spec: { risk: write, idempotentOn: [order] }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: free }
spec: { risk: write, cost: none }
---
apiVersion: remit/v1
kind: Tool
metadata: { name: asks }
spec: { risk: write }
---
apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec:
  rules:
    - { id: plain, match: { tools: [plain, asks, tried, booked, free] }, effect: allow }
    - id: moved
      match: { tools: [plain] }
      when: input.shop == "${MOVED.from}"
      effect: transform
      set: { shop: ${MOVED.to} }
    - id: no
      match: { tools: [asks] }
      when: present(answers.agreed) && answers.agreed == "no"
      effect: deny
    - id: unclear
      match: { tools: [asks] }
      when: present(answers.agreed) && answers.agreed == "unclear"
      effect: clarify
      questions: [{ id: agreed, type: string, ask: Agreed? }]
    - id: waits
      match: { tools: [asks] }
      unless: present(answers.agreed) && (answers.agreed == "yes" || answers.agreed == "unclear")
      effect: escalate
      approval: { approvers: ["group:leads"], expires: 4m }
${DECLARED.map(budgetText).join("")}`;

const DIGEST = `sha256:${"0".repeat(64)}`;

/** Compiled once: what the simulated tenant decides by. */
export async function compileProduct(): Promise<{ readonly snapshots: Snapshots; readonly snapshot: Snapshot }> {
  const { documents, problems } = parseDocuments([{ file: "house.yaml", text: DOCUMENTS }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const agent = {
    ...{ apiVersion: "remit/v1" as const, kind: "Agent" as const, metadata: { name: "clerk" } },
    spec: { ceiling: { tools: ["*"] }, status: "active" as const },
  };
  const rows = {
    revisions: { security: 1n, policy: 1n },
    settings: {
      status: "active" as const,
      mode: "enforce" as const,
      observeAgents: [],
      quotas: {},
      unbudgeted: "deny" as const,
    },
    policies: documents.policies.map((document) => ({ document, version: 1, digest: DIGEST })),
    tools: documents.tools.map((document) => ({ document, digest: DIGEST })),
    agents: [{ document: agent, digest: DIGEST }],
    budgets: documents.budgets.map((document) => ({ document, digest: DIGEST })),
    ...{ groups: [], revocations: [] },
  };
  const snapshots = createSnapshots({
    store: {
      load: async () => rows,
      revisions: async () => rows.revisions,
      fingerprint: () => Promise.reject(new Error("nobody compares here")),
      read: () => Promise.reject(new Error("nothing is left out")),
    },
    clock: { now: () => 0 },
    log: silentLog,
  });
  return { snapshots, snapshot: await snapshots.current(TENANT) };
}

export const operator: Caller = {
  ...{ id: "caller", tenant: TENANT, name: "checkout", roles: [], agents: ["*"] },
  ...{ mayAssertPrincipals: false, revoked: false, createdAtMs: START_MS },
};

/** Values of the input that a keyed budget keeps accounts for. */
export const SHOPS: readonly string[] = ["north", "south", MOVED.from];

/** The sessions, each delegated from the one before it. */
export const SESSIONS: readonly string[] = ["session", "child", "grandchild"];

/** The accounts of what sessions were given, with what they were. */
export type Given = ReadonlyMap<string, { readonly account: bigint; readonly limit: bigint }>;

/** Who asks, by session. */
export function createAskers(given: Given): ReadonlyMap<string, Asker> {
  const links = SESSIONS.map((id): Link => {
    const one = given.get(id);
    return {
      ...{ id, agent: "clerk", scope: undefined, labels: {}, state: "open", expiresAtMs: START_MS + 86_400_000 },
      ...(one && { given: [{ ...one, unit: "EUR" }] }),
    };
  });
  const askers = links.map((link, depth): Asker => {
    const session = {
      ...{ ...link, tenant: TENANT, purpose: "", runId: undefined, openedBy: "caller", details: {}, depth },
      ...{ principal: { id: "mia", verified: false, labels: {} }, openedAtMs: START_MS },
      ...{ parent: SESSIONS[depth - 1], ancestors: links.slice(0, depth) },
    };
    return { security: 1n, caller: operator, session };
  });
  return new Map(askers.map((asker) => [asker.session.id, asker]));
}
