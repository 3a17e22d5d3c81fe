import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../src/stores/migrate.ts";
import { createEmptyDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

test("of eight that migrate at once one works and none fails", async () => {
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => migrate({ url: database.ownerUrl })));
  expect(outcomes.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 3]);
  const { rows } = await withClient(database.ownerUrl, (client) =>
    client.query("select count(*)::int as n from schema_migration"),
  );
  expect(rows).toEqual([{ n: 3 }]);
});
