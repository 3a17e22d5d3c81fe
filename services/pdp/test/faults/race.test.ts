import { expect, test } from "vitest";
import { createTestDatabase, withClient } from "../support/test-database.ts";
import { audit } from "./audit.ts";
import { type Answer, askOver, furnishFleet, openSessions } from "./clients.ts";
import { startFleet } from "./fleet.ts";

const RACES = 1_000;
const AT_ONCE = 25;
const DEADLINE_MS = 30_000;

test("a call raced on two processes a thousand times is one decision each time, and both of them win some", async () => {
  const database = await createTestDatabase();
  const fleet = await startFleet(database.runtimeUrl, 2);
  const [one, two] = fleet.members;
  if (!one || !two) throw new Error("a race needs two");
  await furnishFleet(one, fleet.ownerKey);
  const [session] = await openSessions(one, fleet.ownerKey, 1);
  if (!session) throw new Error("no session was opened");
  const asks = [askOver(one), askOver(two)];

  const answers: Answer[] = [];
  for (let race = 0; race < RACES; race += AT_ONCE) {
    const raced = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, at) =>
        // Each is asked first in every other race.
        Promise.all(
          (at % 2 === 0 ? asks : asks.toReversed()).map((ask) => ask(`race-${race + at}`, session, DEADLINE_MS)),
        ),
      ),
    );
    for (const [left, right] of raced) {
      expect(right).toEqual(left);
      if (left) answers.push(left);
    }
  }

  expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(RACES);
  await withClient(database.superuserUrl, async (client) => {
    expect(await audit(client, answers)).toEqual([]);
    const { rows } = await client.query(
      `select w.replica, count(*)::int as won from record r join writer w using (writer)
        where r.kind = 'decision' group by w.replica`,
    );
    expect(rows.reduce((sum, { won }) => sum + won, 0)).toBe(RACES);
    // A race that one of them always wins is none.
    expect(rows.map(({ won }) => won > 0)).toEqual([true, true]);
  });
  await fleet[Symbol.asyncDispose]();
  await database.drop();
}, 120_000);
