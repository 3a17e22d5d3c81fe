import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { ToolService } from "@remit/proto/admin";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Clients } from "./clients.ts";
import { everyItem, type PageOf, pagesOf } from "./pages.ts";
import { planPrune } from "./prune.ts";
import { Stop } from "./stop.ts";

/** A list that answers so many at a time; a token is where the next page begins. */
const listOf = (all: readonly number[], sizes: readonly number[]) => {
  const asked: PageOf[] = [];
  const list = async (page: PageOf) => {
    asked.push(page);
    const from = Number(page.pageToken || 0);
    const to = from + (sizes[asked.length % sizes.length] ?? 1);
    return { items: all.slice(from, to), nextPageToken: to < all.length ? String(to) : "" };
  };
  return { list, asked };
};

test("a walk has every item once and in order, however long the pages are", async () => {
  const numbers = fc.array(fc.integer(), { maxLength: 40 });
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(numbers, sizes, async (all, lengths) => {
      const { list, asked } = listOf(all, lengths);
      expect(await everyItem(list, ({ items }) => items)).toEqual(all);
      expect(asked.every(({ pageSize }) => pageSize > 0)).toBe(true);
    }),
  );
});

test("an empty page is not the last one, where it has a token for the next", async () => {
  const pages = [
    { items: [], nextPageToken: "a" },
    { items: [7], nextPageToken: "" },
  ];
  const list = async ({ pageToken }: PageOf) => pages[pageToken === "" ? 0 : 1] ?? { items: [], nextPageToken: "" };
  expect(await everyItem(list, ({ items }) => items)).toEqual([7]);
});

test("how many there are is shown while there are more to come, and wiped in the end", async () => {
  const said: string[] = [];
  const io = { progress: (text: string) => void said.push(text) };
  await everyItem(listOf([1, 2, 3], [1]).list, ({ items }) => items, { io, what: "tools" });
  expect(said).toEqual(["1 tools", "2 tools", ""]);
});

test("whoever has seen enough asks for no more pages", async () => {
  const { list, asked } = listOf([1, 2, 3], [1]);
  for await (const { items } of pagesOf(list)) if (items[0] === 2) break;
  expect(asked).toHaveLength(2);
});

test("a service that answers one page for ever is given up", async () => {
  const list = async () => ({ items: [1], nextPageToken: "x" });
  await expect(everyItem(list, ({ items }) => items)).rejects.toThrow(Stop);
});

/** The tools of a service, a page each; where it says so, none is answered from a page on. */
function service(names: readonly string[], failsAt = names.length) {
  const transport = createRouterTransport((router) =>
    router.service(ToolService, {
      listTools: ({ pageToken }) => {
        const at = Number(pageToken || 0);
        if (at >= failsAt) throw new ConnectError("the store is away", Code.Unavailable);
        return { tools: [{ name: names[at] ?? "" }], nextPageToken: at + 1 < names.length ? String(at + 1) : "" };
      },
    }),
  );
  return { tool: createClient(ToolService, transport) } as unknown as Clients;
}

const kept = [{ kind: "tool", name: "b", file: "b.yaml", text: "" }] as const;

test("pruning takes away what is on any page and in no file", async () => {
  expect((await planPrune(service(["c", "b", "a"]), kept, false)).tool).toEqual(["a", "c"]);
});

test("where a page cannot be had, there is no plan to prune by", async () => {
  for (const failsAt of [0, 1, 2]) {
    await expect(planPrune(service(["c", "b", "a"], failsAt), kept, false)).rejects.toThrow("the store is away");
  }
});
