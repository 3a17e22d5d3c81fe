import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { audit } from "./audit.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const replica = randomUUID();
const answer = { decisionId: randomUUID(), epoch: 1n, n: 1n };

const record = (id: string, writer: bigint, n: bigint) =>
  `insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
   values (current_date, ${writer}, ${n}, 1, '${id}', 'acme', 'decision', sha256('1'), 'b')`;
const key = (id: string, name: string) =>
  `insert into call (day, tenant, session, key, id, digest)
   values (current_date, 'acme', '${replica}', substring(sha256('${name}') for 16), '${id}', sha256('1'))`;

const sound = [
  `insert into replica (id, host, alive) values ('${replica}', 'here', false)`,
  `insert into writer (writer, replica, pid, alive, last_n) overriding system value values (1, '${replica}', 1, false, 1)`,
  record(answer.decisionId, 1n, 1n),
  key(answer.decisionId, "one"),
];

/** What an audit finds once these statements were made, all of them undone afterwards. */
const found = (statements: readonly string[], answers = [answer]) =>
  withClient(database.superuserUrl, async (client: Client) => {
    await client.query("begin");
    for (const sql of [...sound, ...statements]) await client.query(sql);
    const wrong = await audit(client, answers);
    await client.query("rollback");
    return wrong.map((line) => line.split(":")[0]);
  });

const other = randomUUID();

test("a sound ledger has nothing wrong with it", async () => {
  expect(await found([])).toEqual([]);
});

test.each([
  ["an answer without a record", [], [{ ...answer, n: 2n }], [`the answer ${answer.decisionId} has no such record`]],
  ["a gap", [record(other, 7n, 2n), key(other, "two")], [answer], ["the numbers of a writer have a gap"]],
  ["a record twice", [record(answer.decisionId, 7n, 1n)], [answer], ["a record stands twice"]],
  ["a record without a key", [record(other, 7n, 1n)], [answer], ["a record has no key"]],
  ["a key without a record", [key(other, "two")], [answer], ["a key has no record"]],
  [
    "a record after the fence",
    [record(other, 1n, 2n), key(other, "two")],
    [answer],
    ["a writer that was shut out recorded afterwards"],
  ],
  [
    "a writer left alive",
    ["update writer set alive = true"],
    [answer],
    ["a replica that was shut out has a living writer"],
  ],
])("the audit finds %s", async (_name, statements, answers, expected) => {
  expect(await found(statements, answers)).toEqual(expected);
});
