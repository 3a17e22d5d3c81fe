import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";

/* Who is one pair of hands to the database: the pairs below, either way round. */

let database: TestDatabase;
const ids = new Map<string, string>();

/** A caller: `kind subject` of one issuer, or a key that another made. */
async function caller(name: string, by?: string): Promise<void> {
  const id = randomUUID();
  ids.set(name, id);
  const [kind = "", subject = ""] = name.split(" ");
  await withClient(database.superuserUrl, (client) =>
    kind === "key"
      ? client.query(
          "insert into caller (id, tenant, name, key_hash, created_by, revision) values ($1, 'acme', $2, $3, $4, 0)",
          [id, name, randomBytes(32), ids.get(by ?? "")],
        )
      : client.query(
          `insert into caller (id, tenant, name, kind, issuer, subject, revision)
           values ($1, 'acme', $2, $3, 'https://idp', $4, 0)`,
          [id, name, kind, subject],
        ),
  );
}

beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.superuserUrl, (client) => client.query("insert into tenant (id) values ('acme')"));
  for (const name of ["person eve", "jwt eve", "spiffe eve", "jwt eva", "person bob"]) await caller(name);
  await caller("key one", "person eve");
  await caller("key two", "key one");
  await caller("key bobs", "person bob");
});
afterAll(() => database.drop());

test.each([
  ["person eve", "person eve", true],
  ["person eve", "jwt eve", true],
  ["jwt eve", "spiffe eve", true],
  ["person eve", "key two", true],
  ["jwt eve", "key two", true],
  ["key one", "key two", true],
  ["person eve", "jwt eva", false],
  ["person eve", "person bob", false],
  ["jwt eve", "key bobs", false],
  ["key two", "key bobs", false],
])("%s and %s are one pair of hands: %s", async (one, other, same) => {
  for (const pair of [
    [one, other],
    [other, one],
  ]) {
    const { rows } = await withClient(database.runtimeUrl, (client) =>
      client.query("select remit_same_hands('acme', $1, $2) as same", [ids.get(pair[0] ?? ""), ids.get(pair[1] ?? "")]),
    );
    expect(rows).toEqual([{ same }]);
  }
});
