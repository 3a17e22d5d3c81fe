import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import type { NewRecord } from "../../../services/pdp/src/ledger/index.ts";
import type { EmbeddedPostgres } from "../../../services/pdp/src/stores/embedded.ts";
import { commitQuery, readCommitted } from "../../../services/pdp/src/stores/ledger-statement.ts";
import { insertReplica, insertWriter } from "../../../services/pdp/src/stores/writer-row.ts";
import { median, pairedRatio } from "../../src/load/statistics.ts";

const tenant = "bench";
const batchRecords = 32;
const commitsARun = 100;
const warmUpCommits = 200;

/** The line of the commit that refuses what was judged under an older security revision. */
const refusal = /\n +where given\.judged_under >= [^\n]+/;

function newRecord(): NewRecord {
  const id = randomUUID();
  return {
    ...{ id, tenant, session: "01900000-0000-7000-8000-000000000001", sessionDay: "2026-11-21", kind: "decision" },
    ...{ key: randomBytes(16), request: Buffer.alloc(32, 1), securityRevision: 0n, digest: randomBytes(32) },
    body: Buffer.alloc(1_500, 65),
  };
}

export interface Commit {
  /** Of one commit, in milliseconds. */
  readonly withMs: number;
  readonly withoutMs: number;
  readonly ratio: number;
}

/** What the commit's refusal of older records costs it: the statement against the same without that line. */
export async function measureCommit({ ownerUrl, runtimeUrl }: EmbeddedPostgres, rounds: number): Promise<Commit> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query("insert into tenant (id) values ($1)", [tenant]);
  await owner.query("insert into revision (tenant) values ($1)", [tenant]);
  await owner.end();
  const client = new pg.Client({ connectionString: runtimeUrl });
  await client.connect();
  await client.query("set plan_cache_mode = force_generic_plan");
  const replica = randomUUID();
  await insertReplica(client, replica, "bench");
  const writer = await insertWriter(client, replica);
  let base = 0n;

  const commit = async (asks: boolean): Promise<number> => {
    const query = commitQuery(writer, base, Array.from({ length: batchRecords }, newRecord));
    const text = query.text.replace(refusal, "");
    if (text === query.text) throw new Error("the commit has no such line any more");
    const began = performance.now();
    const { rows } = await client.query(asks ? query : { ...query, name: "without", text });
    const tookMs = performance.now() - began;
    const { inserted, greatest } = readCommitted(rows[0]);
    if (inserted !== batchRecords || greatest === null) throw new Error(`a commit inserted ${inserted}`);
    base = greatest;
    return tookMs;
  };
  const run = async (asks: boolean): Promise<number> => {
    const times: number[] = [];
    for (let at = 0; at < commitsARun; at++) times.push(await commit(asks));
    return median(times);
  };
  for (let at = 0; at < warmUpCommits; at++) await commit(at % 2 === 0);
  const [withMs, withoutMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const asks of round % 2 === 0 ? [true, false] : [false, true]) {
      (asks ? withMs : withoutMs).push(await run(asks));
    }
  }
  await client.end();
  return { withMs: median(withMs), withoutMs: median(withoutMs), ratio: pairedRatio(withMs, withoutMs).median };
}
