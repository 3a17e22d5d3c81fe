import type { DescMessage, Message } from "@bufbuild/protobuf";
import {
  DeactivatePoliciesResponseSchema,
  ListAgentsResponseSchema,
  ListBudgetsResponseSchema,
  ListPoliciesResponseSchema,
  ListToolsResponseSchema,
} from "@remit/proto/admin";
import type { BudgetStanding } from "../../services/pdp/src/decisions/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import type { PolicyVersion, VersionPlace } from "../../services/pdp/src/policies/index.ts";
import { budgetRpcs } from "../../services/pdp/src/wire/admin/budgets.ts";
import { documentRpcs } from "../../services/pdp/src/wire/admin/documents.ts";
import { policyRpcs } from "../../services/pdp/src/wire/admin/policies.ts";
import { type Case, many, tool } from "./catalogue.ts";
import { prepareWith, settle } from "./turns.ts";
import { type Form, forms, written } from "./written.ts";

const agentAt = (at: number) => ({
  ...({ apiVersion: "remit/v1", kind: "Agent", metadata: { name: `agent-${at}`, owner: "o" } } as const),
  spec: { labels: { team: `t${at % 100}` }, ceiling: { tools: ["*"] }, status: "active" as const },
});

const toolAt = (labels: number) => (at: number) => {
  const plain = tool(undefined, `t${at}`);
  return { ...plain, spec: { ...plain.spec, labels: Object.fromEntries(many(labels, (n) => [`l${n}`, `v${at}`])) } };
};

const budgetAt = (at: number) => ({
  ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `budget_${at}` } },
  spec: { unit: "EUR", limit: "5000", window: "day", timeZone: "UTC", owner: "agent", enforcement: "hard" },
});

const standingOf = (budget: string): BudgetStanding => ({
  ...{ budget, freeze: undefined, accounts: 3 },
  fullest: {
    ...{ id: 123_456n, budget, session: undefined, key: '{"owner":"clerk"}', unit: "EUR", hard: true },
    ...{ limit: 5_000_000_000n, ownLimit: null, held: 12_340_000n, posted: 4_321_000_000n, overage: 0n },
    ...{ freeze: undefined, alarm: 4_000_000_000n, windowsBefore: 14, alarmOffAtMs: undefined },
    ...{ opensAtMs: 0, closesAtMs: 86_400_000 },
  },
});

const versionAt = (activations: number) => (at: number) => {
  const by = { id: "019a4f3e-0000-7000-8000-000000000000", name: "ada@example.com" };
  const version: PolicyVersion = {
    ...{ policy: "payments", version: at + 1, digest: `sha256:${"e".repeat(64)}`, state: "superseded" },
    ...{ language: "native", rules: 10 },
    ...{ publishedAtMs: at, publishedBy: by, validated: undefined },
    activations: many(activations, (n) => ({ sinceMs: n, untilMs: n + 1, cause: "activated", by, endedBy: by })),
  };
  return version;
};

interface Registered {
  readonly tools?: readonly ReturnType<ReturnType<typeof toolAt>>[];
  readonly agents?: readonly ReturnType<typeof agentAt>[];
  readonly budgets?: readonly ReturnType<typeof budgetAt>[];
  readonly versions?: readonly PolicyVersion[];
}

/** What the RPCs that list ask, where a store would answer. */
function deskOf({ tools = [], agents = [], budgets = [], versions = [] }: Registered) {
  const snapshot = {
    agents: new Map(agents.map((document) => [document.metadata.name, document])),
    tools: new Map(tools.map((document) => [document.metadata.name, { document, digest: "" }])),
    budgets: new Map(budgets.map((document) => [document.metadata.name, { document, digest: "" }])),
    ...{ revisions: { security: 1n, policy: 1n }, policyDigest: "" },
  };
  const names = [...snapshot.agents.keys(), ...snapshot.tools.keys(), ...snapshot.budgets.keys()];
  const places = new Map(names.map((one, at) => [one, at]));
  const desk = {
    caller: () => ({ tenant: "t" }),
    snapshots: { current: async () => snapshot },
    storeTime: { now: () => 40_000_000 },
    budgetStandings: { standings: async (_tenant: string, of: readonly string[]) => of.map(standingOf) },
    policies: {
      names: async (_tenant: string, _kind: string, after: string | undefined, most: number) => {
        const from = after === undefined ? 0 : (places.get(after) ?? 0) + 1;
        return names.slice(from, from + most);
      },
      versionsAfter: async (_tenant: string, after: VersionPlace | undefined, most: number) =>
        versions.slice(after?.version ?? 0, (after?.version ?? 0) + most),
      versionsInForce: async () => versions,
    },
    lifecycle: { deactivate: async () => ({ revision: 1n, policyDigest: "" }) },
  };
  return desk as never;
}

type Paged = Message & { readonly nextPageToken: string };
type Listing = (request: never, call: never) => Promise<Paged>;

/** A walk through a list, page after page, as protobuf's bytes or as JSON. */
const walking = (as: Form, name: string, schema: DescMessage, list: () => Listing): Case => ({
  name: `answer: pages of ${name}, in ${as}`,
  make: () => {
    const ask = list();
    return prepareWith(settle, async (pause) => {
      for (let pageToken = ""; ; ) {
        const answer = await ask({ pageSize: limits.registeredListedMax, pageToken } as never, {} as never);
        await written(as, schema, answer, pause);
        if (answer.nextPageToken === "") return;
        pageToken = answer.nextPageToken;
        await pause();
      }
    });
  },
});

/** What is answered where policies were put in force or out of it. */
const inForce = (as: Form, name: string, versions: () => readonly PolicyVersion[]): Case => ({
  name: `answer: ${name}, in ${as}`,
  make: () => {
    const { deactivatePolicies } = policyRpcs(deskOf({ versions: versions() }));
    return prepareWith(settle, async (pause) => {
      const answer = await deactivatePolicies({ policies: ["gone"], expectedRevision: 0n } as never, {} as never);
      await written(as, DeactivatePoliciesResponseSchema, answer, pause);
    });
  },
});

/** Lists of the admin plane, of a tenant at its limits. */
export const lists: readonly Case[] = forms.flatMap((as) => {
  const tools = (name: string, count: number, labels: number) =>
    walking(as, name, ListToolsResponseSchema, () => {
      return documentRpcs(deskOf({ tools: many(count, toolAt(labels)) })).listTools as Listing;
    });
  const named = (activations: number) => (at: number) => ({ ...versionAt(activations)(at), policy: `payments-${at}` });
  return [
    inForce(as, "1,000 policies in force", () => many(limits.policiesMax, named(1))),
    inForce(as, "1,000 policies in force, 16 times each", () => many(limits.policiesMax, named(16))),
    tools("20,000 tools", 20_000, 0),
    tools("1,000 tools of 64 labels", 1_000, 64),
    walking(as, "100,000 agents", ListAgentsResponseSchema, () => {
      return documentRpcs(deskOf({ agents: many(100_000, agentAt) })).listAgents as Listing;
    }),
    walking(as, "10,000 budgets", ListBudgetsResponseSchema, () => {
      return budgetRpcs(deskOf({ budgets: many(10_000, budgetAt) })).listBudgets as Listing;
    }),
    walking(as, "5,000 versions of policies", ListPoliciesResponseSchema, () => {
      return policyRpcs(deskOf({ versions: many(5_000, versionAt(16)) })).listPolicies as Listing;
    }),
  ];
});
