import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/foundation/limits.ts";
import { failure, furnish, type House, openSession, startHouse } from "../support/pdp.ts";
import { withClient } from "../support/test-database.ts";

let house: House;
let decided: string[];
let sessions: string[];
let startedMs: number;

const owner = () => ({ authorization: `Bearer ${house.ownerKey}` });
const list = (query: Parameters<House["clients"]["ledger"]["listDecisions"]>[0], headers = owner()) =>
  house.clients.ledger.listDecisions(query, { headers });

/** Every id of a query, over as many pages as it takes. */
async function all(query: Parameters<typeof list>[0]): Promise<string[]> {
  const ids: string[] = [];
  for (let pageToken = ""; ; ) {
    const page = await list({ ...query, pageToken });
    ids.push(...page.decisions.map(({ id }) => id));
    if (page.nextPageToken === "") return ids;
    pageToken = page.nextPageToken;
  }
}

const asks = [
  ["invoices.read", { id: 1 }],
  ["payments.transfer", { amount: 40 }],
  ["payments.transfer", { amount: 20_000 }],
  ["payments.transfer", { amount: 501 }],
  ["rockets.launch", {}],
] as const;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  const text = "{apiVersion: remit/v1, kind: Agent, metadata: {name: watched}, spec: {mode: observe}}";
  await house.clients.agents.putAgent({ document: { file: "a.yaml", text } }, { headers: owner() });
  startedMs = Date.now();
  decided = [];
  sessions = [];
  for (const agent of ["clerk", "watched"]) {
    const { session, headers } = await openSession(house, { agent });
    sessions.push(session.id);
    const items = asks.map(([tool, input], at) => ({
      ...{ callId: `${at}`, tool, input: { case: "inputObject" as const, value: input as never } },
      supportedConstraints: ["timeout", "maxOutputBytes"],
    }));
    for (const item of items) {
      const answer = await house.clients.decisions.decide(item, { headers });
      decided.push(answer.decisionId);
    }
  }
});

afterAll(() => house.close());

const at = (...places: number[]) => places.map((place) => decided[place]).reverse();

test("every decision is listed, the newest first, with its body", async () => {
  const page = await list({});
  // Within one millisecond ids are in no order of their own.
  expect(page.decisions.map(({ id }) => id)).toEqual([...decided].sort().reverse());
  expect(page.nextPageToken).toBe("");
  const refused = page.decisions.find(({ id }) => id === decided[2]);
  expect(refused).toMatchObject({ kind: "decision", canonical: "" });
  expect(refused?.body).toMatchObject({ effect: "deny", tool: "payments.transfer", input: { amount: 20_000 } });
});

test.each([
  ["an agent", { agent: "clerk" }, [0, 1, 2, 3, 4]],
  ["an agent whose name is another's beginning", { agent: "cler" }, []],
  ["a tool", { tool: "payments.transfer" }, [1, 2, 3, 6, 7, 8]],
  ["an effect", { effect: Effect.DENY }, [2, 4]],
  ["what enforcement would do", { would: Effect.DENY }, [7, 9]],
  ["both", { agent: "watched", effect: Effect.ALLOW, would: Effect.ESCALATE }, [8]],
])("of %s", async (_of, query, places) => {
  expect((await all(query)).sort()).toEqual(at(...places).sort());
});

test("of a session, and of a span of time", async () => {
  expect((await all({ sessionId: sessions[1] ?? "" })).sort()).toEqual(at(5, 6, 7, 8, 9).sort());
  expect(await all({ since: timestampFromMs(startedMs), until: timestampFromMs(startedMs) })).toEqual([]);
  expect(await all({ until: timestampFromMs(startedMs) })).toEqual([]);
  expect(await all({ since: timestampFromMs(startedMs) })).toHaveLength(decided.length);
});

test("page by page nothing is lost and nothing comes twice, whatever the page holds", async () => {
  const whole = await all({});
  for (const pageSize of [1, 3, 10]) expect(await all({ pageSize })).toEqual(whole);
  const first = await list({ pageSize: 3 });
  expect(first.decisions).toHaveLength(3);
  expect(first.nextPageToken).not.toBe("");
  expect(await all({ pageSize: 1, tool: "rockets.launch" })).toEqual(await all({ tool: "rockets.launch" }));
});

test("a page of long inputs ends before it is too long", async () => {
  const { session, headers } = await openSession(house);
  const text = "x".repeat(200_000);
  const many = Math.ceil(limits.listPageBytesMax / 200_000) + 2;
  for (let call = 0; call < many; call++) {
    const input = { case: "inputObject" as const, value: { path: "/workspace/a", text } };
    await house.clients.decisions.decide({ callId: `long-${call}`, tool: "fs.write_file", input }, { headers });
  }
  const page = await list({ sessionId: session.id });
  expect(page.decisions.length).toBeLessThan(many);
  expect(page.nextPageToken).not.toBe("");
  expect(page.decisions[0]?.body).toMatchObject({ input: { text } });
  expect(await all({ sessionId: session.id })).toHaveLength(many);
});

test("it takes the role viewer, and a query of the right form", async () => {
  const made = await house.clients.callers.createKey({ name: "worker", agents: ["*"] }, { headers: owner() });
  const refused = await failure(list({}, { authorization: `Bearer ${made.key}` }));
  expect(refused).toMatchObject({ code: "PermissionDenied", detail: { reason: "role_missing" } });
  for (const [query, field] of [
    [{ pageSize: limits.listPageRecordsMax + 1 }, "page_size"],
    [{ pageToken: "x" }, "page_token"],
    [{ sessionId: "x" }, "session_id"],
    [{ effect: 77 as Effect }, "effect"],
    [{ agent: "x".repeat(500) }, "agent"],
  ] as const) {
    expect(await failure(list(query))).toMatchObject({ code: "InvalidArgument", detail: { field } });
  }
  expect((await list({ pageSize: limits.listPageRecordsMax })).decisions.length).toBeGreaterThan(0);
});

test("the store reads them from their own index", async () => {
  const plan = await withClient(house.database.runtimeUrl, async (client) => {
    await client.query("set enable_seqscan = off");
    const { rows } = await client.query(
      "explain select id from record where tenant = 'default' and kind = 'decision' and id < $1 order by id desc limit 5",
      ["ffffffff-0000-0000-0000-000000000000"],
    );
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  });
  expect(plan).toMatch(/Index.* using record_\w*tenant_id_idx/);
  expect(plan).not.toContain("Sort  ");
});
