import type { Clients } from "./clients.ts";
import type { Document, DocumentKind } from "./document-files.ts";
import { everyItem, type PageOf } from "./pages.ts";
import type { Applied } from "./publish.ts";

/** What is registered or in force and stands in none of the files, by kind. */
export type PrunePlan = Readonly<Record<DocumentKind, readonly string[]>>;

const nobody: PrunePlan = { policy: [], tool: [], agent: [], budget: [], group: [] };

/** The names of everything in a list: of all its pages or, where one of them cannot be had, of none. */
async function names<Page extends { readonly nextPageToken: string }>(
  ask: (page: PageOf) => Promise<Page>,
  itemsOf: (page: Page) => readonly { readonly name: string }[],
): Promise<string[]> {
  return (await everyItem(ask, itemsOf)).map(({ name }) => name);
}

/** What the service knows of each kind. */
const registered: Readonly<Record<DocumentKind, (clients: Clients) => Promise<string[]>>> = {
  policy: async ({ policy }) => {
    const versions = await everyItem(
      (page) => policy.listPolicies(page),
      (page) => page.versions,
    );
    return versions.filter(({ state }) => state === "active").map((version) => version.policy);
  },
  tool: ({ tool }) =>
    names(
      (page) => tool.listTools(page),
      ({ tools }) => tools,
    ),
  agent: ({ agent }) =>
    names(
      (page) => agent.listAgents(page),
      ({ agents }) => agents,
    ),
  budget: ({ budget }) =>
    names(
      (page) => budget.listBudgets(page),
      ({ budgets }) => budgets,
    ),
  group: ({ group }) =>
    names(
      (page) => group.listGroups(page),
      ({ groups }) => groups,
    ),
};

/**
 * What pruning would take away: of the kinds that the documents have, or of every kind. Without a document there is no
 * plan: an empty directory is a mistake more often than a wish.
 */
export async function planPrune(
  clients: Clients,
  documents: readonly Document[],
  everyKind: boolean,
): Promise<PrunePlan> {
  const kinds = everyKind ? (Object.keys(registered) as DocumentKind[]) : documents.map(({ kind }) => kind);
  const plan: Record<DocumentKind, readonly string[]> = { ...nobody };
  if (documents.length === 0) return plan;
  for (const kind of new Set(kinds)) {
    const kept = new Set(documents.filter((document) => document.kind === kind).map(({ name }) => name));
    plan[kind] = (await registered[kind](clients)).filter((name) => !kept.has(name)).sort();
  }
  return plan;
}

export function isEmptyPlan(plan: PrunePlan): boolean {
  return Object.values(plan).every((names) => names.length === 0);
}

// What narrows goes first: if the rest fails, less is allowed than was wanted, not more.
const order = ["tool", "agent", "policy", "budget", "group"] as const;

/** The plan as changes, in the order in which they are made. */
export function pruned(plan: PrunePlan): Applied[] {
  return order.flatMap((kind) =>
    plan[kind].map((name) => ({ kind, name, change: kind === "policy" ? "deactivated" : "removed" }) as const),
  );
}

/** Takes away what the plan names: each kind in one revision. Answers the last one. */
export async function prune(clients: Clients, plan: PrunePlan): Promise<bigint | undefined> {
  const remove: Readonly<Record<DocumentKind, (names: string[]) => Promise<{ revision: bigint }>>> = {
    policy: (policies) => clients.policy.deactivatePolicies({ policies }),
    tool: (names) => clients.tool.deleteTools({ names }),
    agent: (names) => clients.agent.deleteAgents({ names }),
    budget: (names) => clients.budget.deleteBudgets({ names }),
    group: (names) => clients.group.deleteGroups({ names }),
  };
  let last: bigint | undefined;
  for (const kind of order) {
    if (plan[kind].length > 0) last = (await remove[kind]([...plan[kind]])).revision;
  }
  return last;
}
