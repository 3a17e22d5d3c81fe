import { Effect } from "@remit/proto/common";
import { Outcome } from "@remit/proto/decision";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest } from "../../src/foundation/digest.ts";
import { columnsHolding } from "../support/columns.ts";
import { furnish, type House, openSession, startHouse, testConfig } from "../support/pdp.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const MARKER = "marker-of-ada-7f3c";
const LONG_MARKER = `marker-in-a-long-input-7f3c${"x".repeat(10_000)}`;

let database: TestDatabase;
let config: ReturnType<typeof testConfig>;
let house: House;
let other: House;

beforeAll(async () => {
  database = await createTestDatabase();
  config = testConfig(database.runtimeUrl);
  house = await startHouse({ database, config });
  await furnish(house);
  other = await startHouse({ database, config, ownerKey: house.ownerKey });
});

afterAll(async () => {
  await other.close();
  await house.close();
  await database.drop();
});

const owner = () => ({ headers: { authorization: `Bearer ${house.ownerKey}` } });

const transfer = (at: House, headers: Record<string, string>, callId: string, memo: string) =>
  at.clients.decisions.decide(
    { callId, tool: "payments.transfer", input: { case: "inputObject", value: { amount: 5, memo } } },
    { headers },
  );

const write = (at: House, headers: Record<string, string>, callId: string, text: string) =>
  at.clients.decisions.decide(
    { callId, tool: "fs.write_file", input: { case: "inputObject", value: { path: "/etc/passwd", text } } },
    { headers },
  );

test("what was asked, answered and reported stands nowhere in the entries in plain, and is read at every replica", async () => {
  const { headers } = await openSession(house, { purpose: `purpose ${MARKER}` });
  const short = await transfer(house, headers, "short", MARKER);
  const forced = await write(house, headers, "long", LONG_MARKER);
  expect([short.effect, forced.effect]).toEqual([Effect.ALLOW, Effect.TRANSFORM]);
  const labels = [MARKER];
  await other.clients.decisions.report(
    { subject: { case: "decisionId", value: short.decisionId }, outcome: Outcome.SUCCEEDED, labels },
    { headers },
  );

  expect(await columnsHolding(database.superuserUrl, MARKER)).toEqual(["session.purpose"]);
  expect(await columnsHolding(database.superuserUrl, LONG_MARKER)).toEqual([]);
  expect(await columnsHolding(database.superuserUrl, "clerk")).not.toContain("record.body");

  const { decision, reports } = await other.clients.ledger.getDecision({ decisionId: short.decisionId }, owner());
  expect(decision?.body).toMatchObject({ input: { amount: 5, memo: MARKER } });
  expect(digest("entry", decision?.canonical ?? "")).toBe(decision?.digest);
  expect(reports[0]?.body).toMatchObject({ labels: [MARKER] });
  expect(digest("entry", reports[0]?.canonical ?? "")).toBe(reports[0]?.digest);

  const again = await write(other, headers, "long", LONG_MARKER);
  expect(again).toMatchObject({ replayed: true, decisionId: forced.decisionId });
  expect(again.transformed).toEqual(forced.transformed);
  expect(again.transformed.value).toMatchObject({ path: "/workspace/sandbox/passwd" });
});

test("a cell whose operator has not turned sealing on records in plain, and hears at once when it is", async () => {
  await using plain = await startHouse();
  await furnish(plain);
  const turn = (on: boolean) =>
    withClient(plain.database.ownerUrl, (client) => client.query("update cell set sealing = $1", [on]));
  const { headers } = await openSession(plain);
  await turn(false);
  const recorded = async (callId: string) => {
    await transfer(plain, headers, callId, `${MARKER}-${callId}`);
    return (await columnsHolding(plain.database.superuserUrl, `${MARKER}-${callId}`)).includes("record.body");
  };
  let calls = 0;
  await eventually(() => recorded(`before-${calls++}`));
  const [before, memo] = [`before-${calls - 1}`, `${MARKER}-before-${calls - 1}`];
  await turn(true);
  await eventually(async () => !(await recorded(`after-${calls++}`)));
  expect(await transfer(plain, headers, before, memo)).toMatchObject({ effect: Effect.ALLOW, replayed: true });
});

test("an entry that was moved to another place, or changed in a bit, does not open", async () => {
  const { headers } = await openSession(house);
  const one = await transfer(house, headers, "one", MARKER);
  const two = await transfer(house, headers, "two", MARKER);
  await withClient(database.superuserUrl, (client) =>
    client.query("update record set body = (select body from record where id = $1) where id = $2", [
      one.decisionId,
      two.decisionId,
    ]),
  );
  const get = (decisionId: string) => house.clients.ledger.getDecision({ decisionId }, owner());
  expect((await get(one.decisionId)).decision?.canonical).toContain(MARKER);
  await expect(get(two.decisionId)).rejects.toThrow("internal");
});
