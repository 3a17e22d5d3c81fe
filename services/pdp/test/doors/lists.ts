import { type Problem, Problem_Severity } from "@remit/proto/common";
import type { House } from "../support/pdp.ts";

/** What is asked for of a list. */
export interface PageAsked {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface PageSaid {
  /** What the items are known by. */
  readonly items: readonly string[];
  readonly nextPageToken: string;
}

/** One list of the admin plane, and how it comes to have something. */
export interface List {
  readonly page: (of: House, asked: PageAsked) => Promise<PageSaid>;
  /** Makes something that the list has from then on. */
  readonly put: (of: House, name: string) => Promise<unknown>;
  /** Where such a thing can go. */
  readonly remove?: (of: House, name: string) => Promise<unknown>;
  /** What no page answers as a token, besides texts that no list does. */
  readonly badTokens: readonly string[];
}

export const by = ({ ownerKey }: House) => ({ headers: { authorization: `Bearer ${ownerKey}` } });

const document = (kind: string, name: string, spec: string) => ({
  document: {
    file: `${name}.yaml`,
    text: `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`,
  },
});

let audiences = 0;

/** An issuer of a name, which nobody asks for anything here, with an audience that is nobody else's. */
const issuer = (name: string) => ({
  ...{
    name,
    profile: "oidc",
    use: "workloads",
    issuer: `https://${name}.example`,
    audiences: [`lists-${audiences++}`],
  },
  keys: { case: "jwksUri" as const, value: `https://${name}.example/jwks` },
});

/** Refuses to go on where what was put is wrong. */
async function put(answer: Promise<{ readonly problems: readonly Problem[] }>): Promise<void> {
  const problem = (await answer).problems.find(({ severity }) => severity === Problem_Severity.ERROR);
  if (problem) throw new Error(problem.message);
}

const named = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

function publish(of: House, name: string): Promise<void> {
  const { document: policy } = document(
    "Policy",
    name,
    "{ rules: [{ id: a, match: { tools: [pay] }, effect: deny }] }",
  );
  return put(of.clients.policies.publishPolicies({ files: [policy] }, by(of)));
}

/** Every list that has pages of what is registered, by what it is of. */
export const lists: Readonly<Record<string, List>> = {
  tools: {
    page: async (of, asked) => {
      const { tools, nextPageToken } = await of.clients.tools.listTools(asked, by(of));
      return { items: named(tools), nextPageToken };
    },
    put: (of, name) => put(of.clients.tools.putTool(document("Tool", name, "{ risk: read }"), by(of))),
    remove: (of, name) => of.clients.tools.deleteTools({ names: [name] }, by(of)),
    badTokens: [],
  },
  agents: {
    page: async (of, asked) => {
      const { agents, nextPageToken } = await of.clients.agents.listAgents(asked, by(of));
      return { items: named(agents), nextPageToken };
    },
    put: (of, name) => put(of.clients.agents.putAgent(document("Agent", name, "{}"), by(of))),
    remove: (of, name) => of.clients.agents.deleteAgents({ names: [name] }, by(of)),
    badTokens: [],
  },
  groups: {
    page: async (of, asked) => {
      const { groups, nextPageToken } = await of.clients.groups.listGroups(asked, by(of));
      return { items: named(groups), nextPageToken };
    },
    put: (of, name) => put(of.clients.groups.putGroup(document("Group", name, "{ members: [ada] }"), by(of))),
    remove: (of, name) => of.clients.groups.deleteGroups({ names: [name] }, by(of)),
    badTokens: [],
  },
  budgets: {
    page: async (of, asked) => {
      const { budgets, nextPageToken } = await of.clients.budgets.listBudgets(asked, by(of));
      return { items: named(budgets), nextPageToken };
    },
    put: (of, name) =>
      put(of.clients.budgets.putBudget(document("Budget", name, '{ unit: EUR, limit: "1", window: day }'), by(of))),
    remove: (of, name) => of.clients.budgets.deleteBudgets({ names: [name] }, by(of)),
    badTokens: [],
  },
  issuers: {
    page: async (of, asked) => {
      const { issuers, nextPageToken } = await of.clients.callers.listIssuers(asked, by(of));
      return { items: named(issuers), nextPageToken };
    },
    put: (of, name) => of.clients.callers.putIssuer({ issuer: issuer(name) }, by(of)),
    remove: (of, name) => of.clients.callers.deleteIssuers({ names: [name] }, by(of)),
    badTokens: [],
  },
  bindings: {
    page: async (of, asked) => {
      const { bindings, nextPageToken } = await of.clients.callers.listBindings(asked, by(of));
      return { items: named(bindings), nextPageToken };
    },
    put: (of, name) =>
      of.clients.callers.putBinding(
        { binding: { name, issuer: "spiffe", subject: `spiffe://${name}.example/**` } },
        by(of),
      ),
    remove: (of, name) => of.clients.callers.deleteBindings({ names: [name] }, by(of)),
    badTokens: [],
  },
  callers: {
    page: async (of, asked) => {
      const { callers, nextPageToken } = await of.clients.callers.listCallers(asked, by(of));
      return { items: named(callers), nextPageToken };
    },
    put: (of, name) => of.clients.callers.createKey({ name }, by(of)),
    badTokens: ["owner", "019A4F3E-0000-7000-8000-000000000000"],
  },
  "versions of policies": {
    page: async (of, asked) => {
      const { versions, nextPageToken } = await of.clients.policies.listPolicies(asked, by(of));
      return { items: versions.map(({ policy, version }) => `${policy}@${version}`), nextPageToken };
    },
    put: publish,
    badTokens: ["house", "house@0", "house@x", "@1", "house@4294967296"],
  },
  "policies in force": {
    page: async (of, asked) => {
      const { policies, nextPageToken } = await of.clients.policies.getPolicies(asked, by(of));
      for (const { version, document: json, source } of policies) {
        if (JSON.parse(json).metadata.name !== version?.policy || !source.includes(version?.policy ?? "")) {
          throw new Error(`${version?.policy} has another's document`);
        }
      }
      return { items: policies.map(({ version }) => version?.policy ?? ""), nextPageToken };
    },
    put: async (of, name) => {
      await publish(of, name);
      await of.clients.policies.activatePolicies({ choices: [{ policy: name }] }, by(of));
    },
    remove: (of, name) => of.clients.policies.deactivatePolicies({ policies: [name] }, by(of)),
    badTokens: ["house", "house@0", "house@x", "@1", "1"],
  },
};

/** Walks through a list, page after page; `between` runs after each page but the last. */
export async function walk(
  { page }: List,
  of: House,
  pageSize: number,
  between: (met: readonly string[]) => Promise<unknown> = async () => undefined,
): Promise<(readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  for (let pageToken = ""; ; ) {
    const { items, nextPageToken } = await page(of, { pageSize, pageToken });
    pages.push(items);
    if (nextPageToken === "") return pages;
    await between(pages.flat());
    pageToken = nextPageToken;
  }
}
