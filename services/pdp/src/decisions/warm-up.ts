import type { AgentDocument, BudgetDocument, PolicyDocument, ToolDocument } from "@remit/engine";
import { type Account, type AccountName, createBudgets } from "../budgets/index.ts";
import { digestedBytes } from "../foundation/digest.ts";
import { leastUuidAt } from "../foundation/ids.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { strictObject } from "../foundation/strict-json.ts";
import { buildSnapshot, type Registered, type Snapshot } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import { firstAttempt } from "./attempt.ts";
import { createBudgetFacts } from "./budget-facts.ts";
import { byCallId } from "./call.ts";
import { createCharging } from "./charging.ts";
import { writeDecision } from "./entry.ts";
import { judgeAttempt } from "./judge.ts";

const ROUNDS = 8;
const CALLS = 20;
/** Of every call: each is told of in the conditions of a rule, and charged. */
const BUDGETS = 8;
/** Keys of accounts are as long as this and more. */
const NAME_CHARS = 200;
const NOW_MS = Date.UTC(2026, 0, 1);

const many = <Made>(count: number, make: (at: number) => Made) => Array.from({ length: count }, (_, at) => make(at));
const registered = <Document>(document: Document): Registered<Document> => ({ document, digest: "warm" });

const tool: ToolDocument = {
  ...{ apiVersion: "remit/v1", kind: "Tool", metadata: { name: "warm" } },
  spec: { risk: "write" },
};
const agent: AgentDocument = {
  ...{ apiVersion: "remit/v1", kind: "Agent", metadata: { name: "warm" } },
  spec: { status: "active", ceiling: { tools: ["*"] } },
};
const budgetAt = (at: number): BudgetDocument => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } },
  spec: {
    ...{ unit: "calls", limit: "10", window: "day", owner: "tenant", enforcement: "hard" },
    per: ["principal", "input.customer"],
  },
});
const rule = { match: { tools: ["warm"] }, effect: "allow" } as const;
const policy: PolicyDocument = {
  ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "warm" } },
  spec: {
    mode: "enforce",
    rules: many(BUDGETS, (at) => ({
      ...rule,
      id: `r${at}`,
      when: [`budget.b${at}.remaining > amount("${at}", "calls")`],
    })),
  },
};

/** A tenant of this process's own, which no store knows. */
const tenant = (pause: Pause): Promise<Snapshot> =>
  buildSnapshot(
    "warm",
    {
      revisions: { security: 1n, policy: 1n },
      settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
      policies: [{ ...registered(policy), version: 1 }],
      ...{ tools: [registered(tool)], agents: [registered(agent)], budgets: many(BUDGETS, budgetAt).map(registered) },
      ...{ groups: [], revocations: [] },
    },
    undefined,
    { pause },
  );

const asker: Asker = {
  security: 1n,
  session: {
    ...{ id: leastUuidAt(0), tenant: "warm", agent: "warm", purpose: "", labels: {}, details: {}, state: "open" },
    ...{ principal: { id: "warm", verified: true, labels: {} }, scope: undefined, runId: undefined, parent: undefined },
    ...{ ancestors: [], depth: 0, openedAtMs: NOW_MS, expiresAtMs: Number.MAX_SAFE_INTEGER, openedBy: leastUuidAt(0) },
  },
  caller: {
    ...{ id: leastUuidAt(0), tenant: "warm", name: "warm", roles: [], agents: [], createdAtMs: NOW_MS },
    ...{ mayAssertPrincipals: false, revoked: false },
  },
};

function askAt(at: number): Ask {
  const empty = strictObject({}, "context");
  const input = strictObject({ customer: `${at}`.padEnd(NAME_CHARS, "x") }, "input");
  return {
    ...{ callId: `warm-${at}`, tool: "warm", input, context: empty, answers: empty, estimate: [], schemaDigest: "" },
    ...{ approvalId: "", supportedConstraints: [], wantPermit: false, minRevision: 0n, traceId: "", withinMs: 1_000 },
  };
}

/** Books that open whatever they are asked for. */
function openedBooks() {
  let last = 0n;
  const open = (name: AccountName): Account => {
    const balance = { account: ++last, limit: 10_000_000n, held: 0n, posted: 0n, overage: 0n, frozen: false };
    return { ...name, id: last, unit: "calls", hard: true, opensAtMs: 0, closesAtMs: Number.MAX_SAFE_INTEGER, balance };
  };
  const store = {
    openAccounts: async (_tenant: string, names: readonly AccountName[]) => names.map(open),
    openAccountsThen: async () => [],
    balances: async () => [],
  };
  const clock = { now: () => NOW_MS };
  const budgets = createBudgets({ store, clock, uptime: clock, accountsMax: ROUNDS * CALLS * BUDGETS });
  return { budgetFacts: createBudgetFacts(budgets), charging: createCharging({ budgets, clock, storeClock: clock }) };
}

/**
 * Has the machine compiled what decides a call, from what is read of budgets to its record, before anybody is let in: the
 * first calls that have much of something would hold the thread for several times as long as those after them. Answers how many
 * calls it let in.
 */
export async function warmUpDecisions(pause: Pause): Promise<number> {
  const snapshot = await tenant(pause);
  const { budgetFacts, charging } = openedBooks();
  let letIn = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let call = 0; call < CALLS; call++) {
      const asked = askAt(round * CALLS + call);
      const attempt = firstAttempt(asked);
      const budgets = await budgetFacts(snapshot, asker, asked, asked.withinMs);
      const ask = budgets ? { ...asked, budgets } : asked;
      const judged = judgeAttempt(snapshot, asker, ask, attempt, NOW_MS);
      const paid = await charging.charge({ snapshot, asker, ask, attempt, judged, withinMs: ask.withinMs }, undefined);
      const holding = typeof paid === "object" ? paid.holding : undefined;
      const name = byCallId(ask.callId);
      const { text, draft } = writeDecision(ask.callId, asker, ask, judged, snapshot, NOW_MS, name, undefined, holding);
      if (draft(digestedBytes("entry", text)).record.charge) letIn++;
    }
    await pause();
  }
  return letIn;
}
