import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Metadata } from "@grpc/grpc-js";
import { AgentService, BudgetService, PolicyService, ToolService } from "@remit/proto/admin";
import { SessionService } from "@remit/proto/session";
import { BreakerDefaults, TenantService } from "@remit/proto/tenant";
import type { Charged } from "./books-audit.ts";
import type { Addresses } from "./fleet.ts";
import { bearer, metadataOf } from "./told.ts";

/** What is spent by callers who share it. `keys`: whether each session, or each customer, has an account of its own. */
export interface Purse {
  readonly name: string;
  readonly unit: "EUR" | "calls";
  readonly limit: number;
  readonly hard: boolean;
  readonly spec: string;
  readonly keys: "session" | "customer" | "none";
  /** The one tool that is charged to it; null: every tool. */
  readonly tool: string | null;
}

const purse = (name: string, limit: number, spec: string, more: Partial<Purse> = {}): Purse => ({
  ...{ name, unit: "EUR", limit, hard: true, spec, keys: "none", tool: null, ...more },
});

/** Four levels, a keyed one, one that only counts, and a small one. */
export const PURSES: readonly Purse[] = [
  purse("house", 4_000, "window: lifetime"),
  purse("team", 3_000, "window: day, owner: { team: finance }"),
  purse("agent", 2_500, "window: lifetime, owner: { agent: clerk }"),
  purse("run", 600, "window: session, owner: session", { keys: "session" }),
  purse("customer", 900, "window: hour, per: [input.customer]", { keys: "customer" }),
  purse("watch", 10, "window: lifetime, enforcement: soft", { hard: false }),
  purse("rare", 25, 'window: lifetime, owner: { tool: "load.rare" }', { unit: "calls", tool: "load.rare" }),
];
export const RARE = "load.rare";
export const CAREFUL = "load.careful";
export const TOOLS = ["load.plain", CAREFUL, RARE] as const;
export const CUSTOMERS = ["c-0", "c-1", "c-2", "c-3"] as const;
/** What a delegation is given to spend, in EUR. */
const GIVEN = "800";

const text = (kind: string, name: string, spec: string) => ({
  file: `${name}.yaml`,
  text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
});

const tool = (name: string) =>
  text(
    "Tool",
    name,
    `{ risk: write, tolerance: 300%, inputSchema: { type: object, required: [customer, waits], properties: {
      customer: { type: string, maxLength: 16 }, waits: { type: integer, minimum: 0, maximum: 9 } } } }`,
  );

const POLICY = text(
  "Policy",
  "spending",
  `{ rules: [
    { id: all, match: { tools: ["load.*"] }, effect: allow },
    { id: careful, match: { tools: [${CAREFUL}] }, when: call.attempt <= input.waits, effect: escalate,
      message: Wait., approval: { approvers: [group:house] } } ] }`,
);

/** Registers what is asked about and what is spent. Breakers are off: load is a loop. */
export async function furnishPurses({ adminAddress }: Addresses, ownerKey: string): Promise<void> {
  const admin = createConnectTransport({ baseUrl: `http://${adminAddress}`, httpVersion: "1.1" });
  const by = bearer(ownerKey);
  await createClient(TenantService, admin).updateTenant({ breakers: BreakerDefaults.OFF }, by);
  const budgets = createClient(BudgetService, admin);
  for (const { name, unit, limit, spec } of PURSES) {
    const document = text("Budget", name, `{ unit: ${unit}, limit: "${limit}", ${spec} }`);
    const { problems } = await budgets.putBudget({ document }, by);
    if (problems.length > 0) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  }
  const agents = createClient(AgentService, admin);
  for (const name of ["clerk", "helper"]) {
    const document = text("Agent", name, `{ labels: { team: finance }, ceiling: { tools: ["*"] } }`);
    await agents.putAgent({ document }, by);
  }
  const tools = createClient(ToolService, admin);
  for (const name of TOOLS) {
    const { problems } = await tools.putTool({ document: tool(name) }, by);
    if (problems.length > 0) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  }
  const policies = createClient(PolicyService, admin);
  const { versions, problems } = await policies.publishPolicies({ files: [POLICY] }, by);
  if (versions.length !== 1) throw new Error(JSON.stringify(problems.map(({ message }) => message)));
  await policies.activatePolicies({ choices: [{ policy: "spending" }] }, by);
}

/** A session that spends: its own id, and those above it. */
export interface Spending {
  readonly agent: "clerk" | "helper";
  readonly chain: readonly string[];
  /** Whether it was given an amount of its own. */
  readonly given: boolean;
  readonly metadata: Metadata;
}

/** Opens sessions of the clerk; every second one hands its work on, with something to spend, and is asked in there. */
export async function openPurses(
  { httpAddress }: Addresses,
  ownerKey: string,
  count: number,
): Promise<readonly Spending[]> {
  const data = createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" });
  const sessions = createClient(SessionService, data);
  const by = bearer(ownerKey);
  const opened = Array.from({ length: count }, async (_, at): Promise<Spending> => {
    const root = await sessions.openSession({ agent: "clerk", scope: { tools: ["load.*"], maxDepth: 2 } }, by);
    const rootId = root.session?.id ?? "";
    if (at % 2 === 0) {
      return { agent: "clerk", chain: [rootId], given: false, metadata: metadataOf(ownerKey, root.token) };
    }
    const child = await sessions.delegate(
      { agent: "helper", scope: { tools: ["load.*"] }, budget: [{ unit: "EUR", value: GIVEN }] },
      { headers: { ...by.headers, "remit-session": root.token } },
    );
    const chain = [child.session?.id ?? "", rootId];
    return { agent: "helper", chain, given: true, metadata: metadataOf(ownerKey, child.token) };
  });
  return Promise.all(opened);
}

/** The accounts that a call is charged to, as anybody may tell from what was declared: a budget and a key each. */
export function chargedTo(
  { agent, chain, given }: Spending,
  call: { readonly tool: string; readonly customer: string },
): readonly Charged[] {
  const declared = PURSES.filter(
    ({ name, tool: only }) => (only === null || only === call.tool) && (name !== "agent" || agent === "clerk"),
  ).flatMap(({ name: budget, hard, unit, keys }) => {
    const kept = {
      none: [""],
      session: chain.map((session) => `{"session":"${session}"}`),
      customer: [`{"per":{"input.customer":"${call.customer}"}}`],
    }[keys];
    return kept.map((key) => ({ budget, key, hard, unit }));
  });
  const own: Charged = { budget: `session:${chain[0]}`, key: "", hard: true, unit: "EUR" };
  return given ? [...declared, own] : declared;
}
