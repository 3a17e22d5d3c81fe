import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { failure, type House, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";
import { by, type List, lists, walk } from "./lists.ts";

let house: House;
let ours: House;
let theirs: House;

async function tenantOf(tenant: string): Promise<House> {
  const { ownerKey } = await house.clients.tenants.createTenant({ tenant }, by(house));
  return { ...house, ownerKey };
}

beforeAll(async () => {
  house = await startHouse();
  ours = await tenantOf("ours");
  theirs = await tenantOf("theirs");
  for (const { put } of Object.values(lists)) {
    for (const name of ["b", "d", "f", "h"]) await put(ours, name);
    for (const name of ["theirs_c", "theirs_g"]) await put(theirs, name);
  }
});

afterAll(() => house.close());

const everyList = Object.entries(lists);
const whole = { pageSize: 0, pageToken: "" };

test.each(everyList)("%s come in pages that together are the whole list", async (_kind, list) => {
  const { items, nextPageToken } = await list.page(ours, whole);
  expect(nextPageToken).toBe("");
  expect(new Set(items).size).toBe(items.length);
  expect(items.length).toBeGreaterThanOrEqual(4);
  for (const pageSize of [1, 2, 3, items.length, limits.registeredListedMax, 4_294_967_295]) {
    const pages = await walk(list, ours, pageSize);
    expect(pages.flat()).toEqual(items);
    expect(pages.length).toBe(Math.ceil(items.length / pageSize));
  }
});

test.each(everyList)("%s: a token that no page answered is an error that names it", async (_kind, list) => {
  for (const pageToken of [...list.badTokens, "a\0b", "x".repeat(1_000)]) {
    expect(await failure(list.page(ours, { pageSize: 2, pageToken }))).toMatchObject({
      ...{ code: "InvalidArgument", detail: { reason: "request_invalid", field: "page_token" } },
    });
  }
});

test.each(everyList)("%s: a neighbour's token gives nothing of theirs away", async (_kind, list) => {
  const { nextPageToken } = await list.page(theirs, { pageSize: 1, pageToken: "" });
  expect(nextPageToken).not.toBe("");
  const { items } = await list.page(ours, whole);
  const said = await list.page(ours, { pageSize: limits.registeredListedMax, pageToken: nextPageToken });
  expect(items).toEqual(expect.arrayContaining([...said.items]));
});

test.each(everyList.filter(([, { remove }]) => remove))(
  "%s: what is there all the while is met once, whatever comes and goes meanwhile",
  async (kind, list) => {
    const of = await tenantOf(`moving-${kind.replaceAll(" ", "-")}`);
    for (const name of ["b", "d", "f", "h"]) await list.put(of, name);
    const pages = await walk(list, of, 1, async (met) => {
      if (met.length > 1) return;
      await list.put(of, "a");
      await list.put(of, "e");
      await list.remove?.(of, "b");
      await list.remove?.(of, "d");
    });
    expect(pages).toEqual([["b"], ["e"], ["f"], ["h"]]);
    expect((await list.page(of, whole)).items).toEqual(["a", "e", "f", "h"]);
  },
);

test("what is made while somebody walks comes in, and nothing that was there is missed, where nothing ever goes", async () => {
  for (const kind of ["callers", "versions of policies"]) {
    const list = lists[kind];
    if (!list) throw new Error(`no list of ${kind}`);
    const of = await tenantOf(`growing-${kind.slice(0, 7)}`);
    for (const name of ["b", "d", "f"]) await list.put(of, name);
    const { items } = await list.page(of, whole);
    const met = (
      await walk(list, of, 1, async (so) => {
        if (so.length < 4) await list.put(of, `z-${so.length}`);
      })
    ).flat();
    expect(new Set(met).size).toBe(met.length);
    expect(met).toEqual(expect.arrayContaining([...items]));
  }
});

test("tenants come in pages, to whoever may see them", async () => {
  const { tenants } = house.clients;
  const page: List["page"] = async (of, asked) => {
    const { tenants: some, nextPageToken } = await tenants.listTenants(asked, by(of));
    return { items: some.map(({ id }) => id), nextPageToken };
  };
  const { items } = await page(house, whole);
  expect(items).toEqual(expect.arrayContaining(["default", "ours", "theirs"]));
  for (const pageSize of [1, 2, 500]) {
    const pages = await walk({ page, put: async () => undefined, badTokens: [] }, house, pageSize);
    expect(pages.flat()).toEqual(items);
  }
  expect(await failure(page(ours, { pageSize: 1, pageToken: "a" }))).toMatchObject({ code: "PermissionDenied" });
  expect(await failure(page(house, { pageSize: 1, pageToken: "a\0" }))).toMatchObject({
    detail: { field: "page_token" },
  });
});

/** A tenant with as many tools as it may have: all but one put where the service finds them when it next looks. */
async function fullTenant(): Promise<House> {
  const of = await tenantOf("full");
  await withClient(house.database.ownerUrl, (client) =>
    client.query(
      `insert into tool (tenant, name, document, source, digest, revision)
       select $1, n.name, jsonb_build_object('apiVersion', 'remit/v1', 'kind', 'Tool', 'metadata',
           jsonb_build_object('name', n.name), 'spec', jsonb_build_object('risk', 'read')), '', sha256(n.name::bytea), 0
         from (select 't' || lpad(i::text, 6, '0') as name from generate_series(2, $2::int) i) n`,
      ["full", limits.toolsMax],
    ),
  );
  await lists.tools?.put(of, "t000001");
  return of;
}

test("a tenant with as many tools as it may have is listed page by page, and nobody takes a page for all of them", async () => {
  const full = await fullTenant();
  const { tools: list } = lists;
  if (!list) throw new Error("tools have no list");
  expect(await failure(list.page(full, whole))).toMatchObject({
    code: "InvalidArgument",
    detail: { field: "page_size", fix: expect.stringContaining("next_page_token") },
  });
  const pages = await walk(list, full, limits.registeredListedMax);
  expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(limits.registeredListedMax);
  expect(new Set(pages.flat()).size).toBe(limits.toolsMax);
  expect(pages.length).toBeLessThan((2 * limits.toolsMax) / limits.registeredListedMax);
  // Who sends a token knows of pages.
  const { items } = await list.page(full, { pageSize: 0, pageToken: "t019990" });
  expect(items).toHaveLength(10);
  const middle = await list.page(full, { pageSize: 0, pageToken: "t010000" });
  expect(middle.nextPageToken).toBe(middle.items.at(-1));
}, 60_000);

test("a page of long documents is shorter, and holds one of them at least", async () => {
  const members = Array.from({ length: 1_000 }, (_, at) => `${at}@${"m".repeat(190)}`);
  const text = (name: string) =>
    `apiVersion: remit/v1\nkind: Group\nmetadata: { name: ${name} }\nspec: { members: [${members.join(", ")}] }\n`;
  const long = await tenantOf("long");
  for (const name of ["a", "b", "c"]) {
    const document = { file: "group.yaml", text: text(name) };
    expect((await long.clients.groups.putGroup({ document }, by(long))).problems).toEqual([]);
  }
  const { groups: list } = lists;
  if (!list) throw new Error("groups have no list");
  expect(await failure(list.page(long, whole))).toMatchObject({ detail: { field: "page_size" } });
  expect(await walk(list, long, limits.registeredListedMax)).toEqual([["a"], ["b"], ["c"]]);
});
