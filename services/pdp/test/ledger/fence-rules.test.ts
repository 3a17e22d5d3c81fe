import { randomUUID } from "node:crypto";
import pg, { type Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NewRecord, RecordOutcome } from "../../src/ledger/index.ts";
import { aloneQuery, readCommittedAlone } from "../../src/stores/alone-statement.ts";
import { commitQuery, readCommitted } from "../../src/stores/ledger-statement.ts";
import { readTaken, takenQuery } from "../../src/stores/stored-record.ts";
import { endReplica, fence, insertReplica, insertWriter } from "../../src/stores/writer-row.ts";
import { editFunction } from "../support/edited-function.ts";
import { eventually } from "../support/processes.ts";
import { createTestDatabase, type TestDatabase, withClient } from "../support/test-database.ts";
import { insertTenant, newRecord, TENANT } from "./postgres.ts";

/*
 * The rules of the fence, each against what it would be without it, in the one order of events that tells them apart.
 * Every variant runs against Postgres with the other parts as they are.
 */

let database: TestDatabase;
const connections: Client[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  await insertTenant(database);
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((client) => client.end().catch(() => undefined)));
  await database.drop();
});

async function connect(url = database.runtimeUrl): Promise<Client> {
  const client = new pg.Client({ connectionString: url });
  // The fence ends a backend that it has waited for too long: on a machine that stood still, this one.
  client.on("error", () => {});
  await client.connect();
  connections.push(client);
  return client;
}

const rows = async (sql: string, values: unknown[] = []) =>
  withClient(database.ownerUrl, async (client) => (await client.query(sql, values)).rows);

/** Waits until a query waits for a lock, or has come to its end without. */
async function waitsOrEnds(client: Client, query: Promise<unknown>): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  query.then(end, end);
  const { processID } = client as unknown as { processID: number };
  const waits = "select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'";
  await eventually(async () => ended || (await rowsAsSuperuser(waits, [processID])).length > 0);
}

const rowsAsSuperuser = (sql: string, values: unknown[]) =>
  withClient(database.superuserUrl, async (client) => (await client.query(sql, values)).rows);

async function newReplica(client: Client): Promise<string> {
  const replica = randomUUID();
  await insertReplica(client, replica, "test");
  return replica;
}

/** Records of writers that were shut out beyond the last number that was told of them. */
const lateRecords = () =>
  rows("select r.id from record r join writer w using (writer) where not w.alive and r.n > w.last_n");

type Commit = (writer: bigint, record: NewRecord) => pg.QueryArrayConfig;
type Fence = (client: Client, writer: bigint) => Promise<unknown>;

const LOCK = "for no key update";

/** The commit as it is, but for how it locks its writer's row. */
const commitThatLocks =
  (how: string): Commit =>
  (writer, record) => {
    const query = commitQuery(writer, 0n, [record]);
    expect(query.text).toContain(LOCK);
    return { ...query, name: `ledger-commit ${how}`, text: query.text.replace(LOCK, how) };
  };

const asIs: { readonly commit: Commit; readonly fence: Fence } = {
  commit: (writer, record) => commitQuery(writer, 0n, [record]),
  fence,
};

const LAST_N = "(select coalesce(max(n), 0) from record r where r.writer = writer.writer)";

/** The fence in a transaction of this isolation, statement by statement. */
const fenceBy =
  (isolation: string, ...statements: string[]): Fence =>
  async (client, writer) => {
    await client.query(`begin isolation level ${isolation}`);
    for (const sql of statements) await client.query(sql, [writer]);
    await client.query("commit");
  };

/** A fence comes while a commit is under way: it must wait, and then count what it has waited for. */
async function fenceDuringCommit(rules: { readonly commit: Commit; readonly fence: Fence }): Promise<number> {
  const [committing, fencing] = [await connect(), await connect()];
  const writer = await insertWriter(committing, await newReplica(fencing));
  await committing.query("begin");
  await committing.query(rules.commit(writer, newRecord()));
  const fenced = rules.fence(fencing, writer);
  await waitsOrEnds(fencing, fenced);
  await committing.query("commit").catch(() => undefined);
  await fenced;
  return (await lateRecords()).length;
}

test("the fence waits for a commit that is under way, and counts its records", async () => {
  expect(await fenceDuringCommit(asIs)).toBe(0);
});

const SHUT = "update writer set alive = false where writer = $1";
const COUNT = `update writer set last_n = ${LAST_N} where writer = $1`;

test("the fence's own two statements, written out, count as the fence does", async () => {
  const fence = fenceBy("read committed", SHUT, COUNT);
  expect(await fenceDuringCommit({ ...asIs, fence })).toBe(0);
});

test.each<[string, Partial<typeof asIs>]>([
  [
    "a fence in one statement counts by a snapshot from before it waited",
    { fence: fenceBy("read committed", `update writer set alive = false, last_n = ${LAST_N} where writer = $1`) },
  ],
  [
    "a fence in one statement with a CTE does so as well",
    {
      fence: fenceBy(
        "read committed",
        `with found as materialized (select writer from writer where writer = $1 for no key update)
         update writer set alive = false, last_n = ${LAST_N} from found where writer.writer = found.writer`,
      ),
    },
  ],
  ["a fence under REPEATABLE READ too", { fence: fenceBy("repeatable read", SHUT, COUNT) }],
  ["a commit that locks nothing is not waited for", { commit: commitThatLocks("") }],
  ["a commit that locks FOR KEY SHARE is not waited for", { commit: commitThatLocks("for key share") }],
])("known to be wrong: %s", async (_name, wrong) => {
  expect(await fenceDuringCommit({ ...asIs, ...wrong })).toBe(1);
});

test("a commit after the fence finds its writer dead; one that does not ask records all the same", async () => {
  const [committing, fencing] = [await connect(), await connect()];
  const writer = await insertWriter(committing, await newReplica(fencing));
  await fence(fencing, writer);
  const { rows: told } = await committing.query(commitQuery(writer, 0n, [newRecord()]));
  expect(readCommitted(told[0] as unknown[])).toMatchObject({ alive: false, inserted: 0 });
  expect(await lateRecords()).toEqual([]);

  const unasked = commitQuery(writer, 0n, [newRecord()]);
  expect(unasked.text).toContain("and alive ");
  await committing.query({ ...unasked, name: "unasked", text: unasked.text.replace("and alive ", "") });
  expect(await lateRecords()).toHaveLength(1);
});

// The commit of one record alone is a function of the store.

const commitAlone: Commit = (writer, record) => {
  const query = aloneQuery(writer, 0n, [record]);
  if (!query) throw new Error("the record is no plain one");
  return query;
};
const aloneWithout = (part: string) =>
  editFunction(database, "remit_commit_alone", (text) =>
    text.replace(part, part.replace(/ ?(and w.alive|for no key update)$/, "")),
  );

test("the fence waits for a record that is committed alone, and counts it", async () => {
  expect(await fenceDuringCommit({ ...asIs, commit: commitAlone })).toBe(0);
});

test("known to be wrong: a record is committed alone without a lock on its writer", async () => {
  await aloneWithout("and w.alive for no key update");
  expect(await fenceDuringCommit({ ...asIs, commit: commitAlone })).toBe(1);
});

test("a record alone finds its writer dead after the fence; where it does not ask it is recorded all the same", async () => {
  const [committing, fencing] = [await connect(), await connect()];
  const writer = await insertWriter(committing, await newReplica(fencing));
  await fence(fencing, writer);
  const { rows: told } = await committing.query(commitAlone(writer, newRecord()));
  expect(readCommittedAlone(told[0] as unknown[], 0n)?.told).toMatchObject({ alive: false, inserted: 0 });
  expect(await lateRecords()).toEqual([]);

  await aloneWithout("w.writer = of_writer and w.alive");
  await committing.query(commitAlone(writer, newRecord()));
  expect(await lateRecords()).toHaveLength(1);
});

// What becomes of a record whose acknowledgement was lost while its backend lives on.

type Told = "recorded" | "not recorded";
type Resolve = (writer: bigint, record: NewRecord, letGo: () => Promise<void>) => Promise<Told>;

const told = (outcome: RecordOutcome | null | undefined): Told =>
  outcome?.outcome === "inserted" ? "recorded" : "not recorded";

const read = async (client: Client, record: NewRecord) =>
  readTaken([record], (await client.query(takenQuery([record]))).rows)[0];

/** The rule: shut the writer out, which waits for its statement, then look. */
const fenceThenRead: Resolve = async (writer, record, letGo) => {
  const client = await connect();
  const fenced = fence(client, writer);
  await waitsOrEnds(client, fenced);
  await letGo();
  await fenced;
  return told(await read(client, record));
};

const readAlone: Resolve = async (_writer, record, letGo) => {
  const found = told(await read(await connect(), record));
  await letGo();
  return found;
};

/** Hands it to another writer; the store says that it is stale, so it would be decided anew. */
const retryAlone: Resolve = async (_writer, record, letGo) => {
  const client = await connect();
  const other = await insertWriter(client, await newReplica(client));
  const { rows: answer } = await client.query(commitQuery(other, 0n, [record]));
  const { inserted } = readCommitted(answer[0] as unknown[]);
  const found = inserted === 1 ? "recorded" : told(await read(client, record));
  await letGo();
  return found;
};

/** A statement waits in its backend for a key, its connection is lost, and meanwhile authority shrinks. */
async function lostAcknowledgement(resolve: Resolve): Promise<{ told: Told; is: Told }> {
  const [holder, lost] = [await connect(database.ownerUrl), await connect()];
  const record = newRecord();
  await holder.query("begin");
  await holder.query(
    "insert into call (day, tenant, session, key, id, digest) values ($1, $2, $3, $4, gen_random_uuid(), $5)",
    [record.sessionDay, record.tenant, record.session, record.key, record.request],
  );
  const writer = await insertWriter(lost, await newReplica(lost));
  const statement = lost.query(commitQuery(writer, 0n, [record])).catch(() => undefined);
  await waitsOrEnds(lost, statement);
  await rows("update revision set security = security + 1 where tenant = $1 returning tenant", [TENANT]);
  const letGo = async () => {
    await holder.query("rollback");
    await statement;
  };
  const said = await resolve(writer, record, letGo);
  const found = await rows("select from record where id = $1", [record.id]);
  return { told: said, is: found.length === 1 ? "recorded" : "not recorded" };
}

test("a lost acknowledgement is resolved truly by shutting its writer out before looking", async () => {
  const { told, is } = await lostAcknowledgement(fenceThenRead);
  expect(told).toBe(is);
});

test.each([
  ["by reading alone", readAlone],
  ["by retrying alone", retryAlone],
])("known to be wrong: a lost acknowledgement resolved %s", async (_name, resolve) => {
  expect(await lostAcknowledgement(resolve)).toEqual({ told: "not recorded", is: "recorded" });
});

// A replica that is declared dead has no writer, and gets none.

type Birth = (client: Client, replica: string) => Promise<unknown>;

const livingWritersOfTheDead = () =>
  rows("select w.writer from writer w join replica r on r.id = w.replica where w.alive and not r.alive");

/** A writer is born while its replica is declared dead: whoever is first, it does not live on. */
async function bornMeanwhile(birth: Birth): Promise<number> {
  const [born, reaper] = [await connect(), await connect()];
  const replica = await newReplica(reaper);
  await born.query("begin");
  await birth(born, replica);
  const ended = endReplica(reaper, replica);
  await waitsOrEnds(reaper, ended);
  await born.query("commit").catch(() => undefined);
  await ended;
  return (await livingWritersOfTheDead()).length;
}

async function bornAfterwards(birth: Birth): Promise<number> {
  const [born, reaper] = [await connect(), await connect()];
  const replica = await newReplica(reaper);
  await endReplica(reaper, replica);
  await birth(born, replica).catch((error: { kind?: string }) => {
    if (error.kind !== "fenced") throw error;
  });
  return (await livingWritersOfTheDead()).length;
}

test("no writer is born of a dead replica, and one born meanwhile dies with it", async () => {
  expect(await bornMeanwhile(insertWriter)).toBe(0);
  expect(await bornAfterwards(insertWriter)).toBe(0);
});

const birthBy =
  (sql: string): Birth =>
  (client, replica) =>
    client.query(sql, [replica]);

test("known to be wrong: a writer that is born without locking its replica", async () => {
  const unlocked = birthBy(
    "insert into writer (replica, pid) select id, pg_backend_pid() from replica where id = $1 and alive",
  );
  expect(await bornAfterwards(unlocked)).toBe(0);
  expect(await bornMeanwhile(unlocked)).toBe(1);
});

test("known to be wrong: a writer that is born without asking whether its replica lives", async () => {
  const unasked = birthBy("insert into writer (replica, pid) values ($1, pg_backend_pid())");
  expect(await bornAfterwards(unasked)).toBe(1);
});
