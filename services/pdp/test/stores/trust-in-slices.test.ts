import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { openPool } from "../../src/stores/database.ts";
import { createIdentityStore } from "../../src/stores/identities.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const ISSUERS = 4;
const VALUES = 10_000;

let database: TestDatabase;
let pool: ReturnType<typeof openPool>;
beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.superuserUrl, async (client) => {
    await client.query("insert into tenant (id) values ('t')");
    await client.query(
      `insert into issuer (tenant, name, profile, use, issuer, jwks, algorithms, claims, token_seconds_max,
         session_seconds_max, revision)
       select 't', 'idp-' || i, 'oidc', 'workloads', 'https://idp-' || i || '.example',
         (select jsonb_build_object('keys', '[]'::jsonb, 'more', jsonb_agg('ä' || n)) from generate_series(1, $2) n),
         '{RS256}', '{}', 3600, 3600, 1 from generate_series(1, $1) i`,
      [ISSUERS, VALUES],
    );
  });
  pool = openPool({ url: database.runtimeUrl, name: "believes", log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test("issuers with very many values in their keys are read by the pause that the store was given", async () => {
  let pauses = 0;
  const store = createIdentityStore(pool, async () => void pauses++);
  const { row } = await store.trust("t");
  expect(row.issuers.map(({ name }) => name)).toEqual(["idp-1", "idp-2", "idp-3", "idp-4"]);
  const more = Array.from({ length: VALUES }, (_, at) => `ä${at + 1}`);
  for (const { jwks } of row.issuers) expect(jwks).toEqual({ keys: [], more });
  expect(pauses).toBeGreaterThan(ISSUERS);
  const read = pauses;
  expect((await store.trust("t", row)).row).toBe(row);
  expect(pauses).toBe(read);
});
