import type { PolicyDocument } from "@remit/engine";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Canonicalisable, canonical } from "../../src/foundation/canonical.ts";
import { silentLog } from "../../src/foundation/log.ts";
import { openPool, withTransaction } from "../../src/stores/database.ts";
import { jsonbParameter, textParameter } from "../../src/stores/long-parameters.ts";
import { createPolicyStore } from "../../src/stores/policies.ts";
import { changePolicies } from "../../src/stores/policy-changes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

const BY = "019a4f3e-0000-7000-8000-000000000000";

let database: TestDatabase;
let pool: ReturnType<typeof openPool>;
beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.superuserUrl, async (client) => {
    await client.query("insert into tenant (id) values ('t')");
    await client.query(
      `insert into caller (id, tenant, name, roles, kind, revision, key_hash)
       values ($1, 't', 'ada', '{owner}', 'key', 1, decode(repeat('0e', 32), 'hex'))`,
      [BY],
    );
  });
  pool = openPool({ url: database.runtimeUrl, name: "writes", log: silentLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** What a document may hold: it has a canonical JSON, and no character that Postgres has not. */
function isStored(value: unknown): boolean {
  try {
    return !canonical(value as Canonicalisable).includes("\\u0000");
  } catch {
    return false;
  }
}

test("long texts and values are in the database what short ones are, wherever their pieces end", async () => {
  await withClient(database.superuserUrl, async (client) => {
    await client.query("create temp table held (document jsonb, source text)");
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("a", "ä", "€", "𝄞", '"\\\n'),
        fc.constantFrom(1, 10, 40_000, 150_000),
        fc.nat(3),
        fc.jsonValue().filter(isStored),
        async (unit, times, before, value) => {
          const source = "b".repeat(before) + unit.repeat(times);
          const document = { spec: { [unit.repeat(9)]: [source, value] } };
          const values = [await jsonbParameter(document), await textParameter(source)];
          // As values, and as what is selected.
          for (const from of ["values ($1, $2)", "select $1, $2 from (select max(1)) one"]) {
            const text = `insert into held (document, source) ${from} returning source, document = $3::jsonb as same`;
            const { rows } = await client.query(text, [...values, JSON.stringify(document)]);
            expect(rows).toEqual([{ source, same: true }]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

test("a policy of megabytes that is published is read as it was", async () => {
  const rule = (at: number) => ({ id: `r${at}`, effect: "allow", match: { tools: [`t${at}`] }, message: "ä — €" });
  const spec = { rules: Array.from({ length: 10_000 }, (_, at) => rule(at)) };
  const document = {
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { name: "long" },
    spec,
  } as never as PolicyDocument;
  const source = JSON.stringify(document, null, 1);
  const published = { policies: [{ document, source, digest: Buffer.alloc(32, 1) }], by: BY, draft: false };
  await withTransaction(pool, "read committed", (client) =>
    changePolicies(client, "t", { kind: "policies_published", ...published } as never, 1n),
  );
  const [stored] = await createPolicyStore(pool).stored("t", [{ policy: "long", version: 0 }]);
  expect(stored?.version).toMatchObject({ policy: "long", version: 1, rules: 10_000 });
  // What differs of such a text would be printed.
  expect(stored?.source === source).toBe(true);
  expect(stored?.document).toEqual(document);
});
