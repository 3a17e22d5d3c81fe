import { expect, test } from "vitest";
import { createTestDatabase, withClient } from "../support/test-database.ts";
import { askOver, furnishFleet, openSessions } from "./clients.ts";
import { startFleet } from "./fleet.ts";

test("a service that was declared dead while nobody asks it anything ends by itself, with 3 and its reason", async () => {
  const database = await createTestDatabase();
  const fleet = await startFleet(database.runtimeUrl, 1);
  const [member] = fleet.members;
  if (!member) throw new Error("a fleet of nobody");
  await furnishFleet(member, fleet.ownerKey);
  const [session] = await openSessions(member, fleet.ownerKey, 1);
  if (!session) throw new Error("no session");
  const ask = askOver(member);
  await ask("before", session, 5_000);

  const { replica, ended } = member.serving();
  await withClient(database.ownerUrl, async (client) => {
    const { rowCount } = await client.query("update replica set alive = false where id = $1", [replica]);
    expect(rowCount).toBe(1);
    await client.query("update writer set alive = false where replica = $1", [replica]);
  });
  await expect(ask("after", session, 5_000)).rejects.toMatchObject({ code: 14 });
  const { code, lastWords } = await ended;
  expect(code).toBe(3);
  expect(lastWords).toContain("another replica declared this one dead");
  expect(lastWords).toContain("start it again");
  await withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query("select count(*)::int as records from record where kind = 'decision'");
    expect(rows).toEqual([{ records: 1 }]);
  });
  await fleet[Symbol.asyncDispose]();
  await database.drop();
});
