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

const named = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

/** Every list that has pages of what is registered, by what it is of. */
export const lists: Readonly<Record<string, List>> = {
  tools: {
    page: async (of, asked) => {
      const { tools, nextPageToken } = await of.clients.tools.listTools(asked, by(of));
      return { items: named(tools), nextPageToken };
    },
    put: (of, name) => of.clients.tools.putTool(document("Tool", name, "{ risk: read }"), by(of)),
    remove: (of, name) => of.clients.tools.deleteTools({ names: [name] }, by(of)),
    badTokens: [],
  },
  agents: {
    page: async (of, asked) => {
      const { agents, nextPageToken } = await of.clients.agents.listAgents(asked, by(of));
      return { items: named(agents), nextPageToken };
    },
    put: (of, name) => of.clients.agents.putAgent(document("Agent", name, "{}"), by(of)),
    remove: (of, name) => of.clients.agents.deleteAgents({ names: [name] }, by(of)),
    badTokens: [],
  },
  groups: {
    page: async (of, asked) => {
      const { groups, nextPageToken } = await of.clients.groups.listGroups(asked, by(of));
      return { items: named(groups), nextPageToken };
    },
    put: (of, name) => of.clients.groups.putGroup(document("Group", name, "{ members: [ada] }"), by(of)),
    remove: (of, name) => of.clients.groups.deleteGroups({ names: [name] }, by(of)),
    badTokens: [],
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
