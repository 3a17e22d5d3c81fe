import type { ListDecisionsResponse } from "@remit/proto/admin";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
let house: House;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await house.close();
  await database.drop();
});

/** A house whose cell seals, as new ones do, or records in plain, as it is told before it starts once more. */
async function start(sealing: boolean): Promise<void> {
  const config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  if (!sealing) {
    await house.close();
    await withClient(database.superuserUrl, (client) => client.query("update cell set sealing = false"));
    house = await startHouse({ database, config, ownerKey: house.ownerKey });
  }
  await furnish(house);
}

const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });
type Query = Parameters<House["clients"]["ledger"]["listDecisions"]>[0];

/** Every page of a query. */
async function pagesOf(query: Query, meanwhile: () => Promise<unknown> = async () => {}) {
  const pages: ListDecisionsResponse[] = [];
  for (let pageToken = ""; ; ) {
    const [page] = await Promise.all([
      house.clients.ledger.listDecisions({ ...query, pageToken }, owner()),
      meanwhile(),
    ]);
    pages.push(page);
    if (page.nextPageToken === "") return pages;
    pageToken = page.nextPageToken;
  }
}

const idsOf = (pages: readonly ListDecisionsResponse[]) => pages.flatMap((page) => page.decisions.map(({ id }) => id));
const newestFirst = (ids: readonly string[]) => ids.toSorted().reverse();

const LONG = 200_000;
const textOf = (call: number) => `${call} ${"é".repeat(LONG / 2)}`;

async function writing() {
  const { session, headers } = await openSession(house);
  const write = async (callId: string, text: string) => {
    const input = { case: "inputObject" as const, value: { path: "/workspace/a", text } };
    return (await house.clients.decisions.decide({ callId, tool: "fs.write_file", input }, { headers })).decisionId;
  };
  return { sessionId: session.id, write };
}

test.each(["in plain", "sealed"])(
  "long decisions %s, some a page, all told once while others are made",
  async (how) => {
    await start(how === "sealed");
    const { sessionId, write } = await writing();
    const texts = new Map<string, string>();
    const many = Math.ceil((2.5 * limits.listPageBytesMax) / LONG);
    for (let call = 0; call < many; call++) texts.set(await write(`long-${call}`, textOf(call)), textOf(call));
    let made = 0;
    const meanwhile = async () => {
      for (let more = 0; more < 3; more++) await write(`more-${made++}`, "short");
    };
    const pages = await pagesOf({ sessionId }, meanwhile);
    expect(pages.length).toBeGreaterThan(2);
    // What was made before the first page is asked for comes after those that were made meanwhile.
    expect(idsOf(pages).filter((id) => texts.has(id))).toEqual(newestFirst([...texts.keys()]));
    expect(new Set(idsOf(pages)).size).toBe(idsOf(pages).length);
    for (const { id, body } of pages.flatMap(({ decisions }) => decisions)) {
      if (texts.has(id)) expect(body).toMatchObject({ tool: "fs.write_file", input: { text: texts.get(id) } });
    }
    for (const { decisions } of pages) {
      const bytes = decisions.reduce((sum, { id }) => sum + Buffer.byteLength(texts.get(id) ?? ""), 0);
      expect(bytes).toBeLessThan(limits.listPageBytesMax);
    }
  },
);

test("a page holds no more long decisions than it is asked for, and as many as it may with a filter", async () => {
  await start(true);
  const { sessionId, write } = await writing();
  const ids: string[] = [];
  for (let call = 0; call < 6; call++) ids.push(await write(`long-${call}`, textOf(call)));
  for (const query of [{ pageSize: 1 }, { pageSize: 4 }, { tool: "fs.write_file", pageSize: 5 }]) {
    const pages = await pagesOf({ sessionId, ...query });
    expect(idsOf(pages)).toEqual(newestFirst(ids));
    expect(pages[0]?.decisions).toHaveLength(query.pageSize);
  }
  expect(idsOf(await pagesOf({ sessionId, tool: "another" }))).toEqual([]);
});

test("an entry that is longer than a page may be is told whole, alone on one", async () => {
  await start(false);
  const { sessionId, write } = await writing();
  const ids: string[] = [];
  for (let call = 0; call < 5; call++) ids.push(await write(`c-${call}`, "short"));
  const [, body = "", , aside = ""] = newestFirst(ids);
  const text = "y".repeat(limits.listPageBytesMax + 1);
  // No call is that long: what was written by another build may be.
  await withClient(database.superuserUrl, async (client) => {
    const long = `convert_to(jsonb_build_object('long', $2::text)::text, 'UTF8')`;
    await client.query(`update record set aside = ${long} where id = $1`, [aside, text]);
    const longer = `convert_to((convert_from(body, 'UTF8')::jsonb || jsonb_build_object('long', $2::text))::text, 'UTF8')`;
    await client.query(`update record set body = ${longer} where id = $1`, [body, text]);
  });
  const pages = await pagesOf({ sessionId });
  expect(idsOf(pages)).toEqual(newestFirst(ids));
  expect(pages.map(({ decisions }) => decisions.length)).toEqual([1, 1, 1, 1, 1]);
  const told = pages
    .flatMap(({ decisions }) => decisions)
    .filter((one) => (one.body as object) && "long" in (one.body ?? {}));
  expect(told.map(({ id }) => id)).toEqual([body, aside]);
  expect(told.every((one) => one.body?.long === text)).toBe(true);
});
