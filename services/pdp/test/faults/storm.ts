import pg from "pg";
import { LedgerUnavailable, type NewRecord, type UnchargedOutcome, uncharged } from "../../src/ledger/index.ts";
import { endReplica, fence } from "../../src/stores/writer-row.ts";
import { newRecord, type OpenLedger, openLedger, TENANT } from "../ledger/postgres.ts";
import { audit, census } from "./audit.ts";
import type { Answer } from "./clients.ts";

/*
 * Fences without end, under load, in one process: thousands of them where real processes allow dozens. Writers are shut
 * out by others in the middle of their statements, their backends ended, whole replicas declared dead and replaced, and
 * authority shrinks meanwhile.
 */

export interface Storm {
  readonly wrong: readonly string[];
  readonly fences: number;
  readonly replicasEnded: number;
  readonly answered: number;
  readonly records: number;
  readonly writers: number;
}

export interface StormOptions {
  /** Of a migrated database with the tenant of `postgres.ts`. */
  readonly runtimeUrl: string;
  readonly superuserUrl: string;
  readonly random: () => number;
  readonly fences: number;
}

const LEDGERS = 3;
const CALLERS = 48;
const RACED = 0.2;
const OUTDATED = 0.1;
/** Some work between two blows, or nothing would ever be recorded. */
const ANSWERS_A_BLOW = 20;

type Told = UnchargedOutcome | LedgerUnavailable;

/** What callers were told, checked as it comes. */
function createNotes(wrong: string[]) {
  const answers: Answer[] = [];
  const never: string[] = [];
  const winners = new Map<string, string>();
  const note = (record: NewRecord, told: Told, acknowledged: bigint) => {
    if (told instanceof LedgerUnavailable) {
      if (told.recorded === "no") never.push(record.id);
      return;
    }
    if (told.outcome === "stale") return void never.push(record.id);
    if (told.outcome === "reused") return void wrong.push(`${record.id} was told that its key is another request's`);
    if (told.outcome === "inserted" && record.securityRevision < acknowledged) {
      wrong.push(`${record.id} was recorded under an authority that had shrunk before it was asked`);
    }
    const winner = told.outcome === "inserted" ? record.id : told.record.id;
    const ref = told.outcome === "inserted" ? told.ref : told.record;
    const key = Buffer.from(record.key).toString("hex");
    if ((winners.get(key) ?? winner) !== winner) wrong.push(`the key of ${record.id} was answered in two ways`);
    winners.set(key, winner);
    answers.push({ decisionId: winner, epoch: ref.epoch, n: ref.n });
  };
  return { answers, never, note };
}

export async function storm({ runtimeUrl, superuserUrl, random, fences }: StormOptions): Promise<Storm> {
  const wrong: string[] = [];
  const { answers, never, note } = createNotes(wrong);
  const ledgers = await Promise.all(Array.from({ length: LEDGERS }, () => openLedger(runtimeUrl)));
  const reaper = new pg.Client({ connectionString: superuserUrl });
  await reaper.connect();
  let [acknowledged, told, replicasEnded, over] = [0n, 0, 0, false];
  const pick = <Value>(from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

  const ask = async (record: NewRecord): Promise<void> => {
    const asOf = acknowledged;
    const outcome = await pick(ledgers)
      .ledger.record(record)
      .then(uncharged)
      .catch((error: LedgerUnavailable) => error);
    note(record, outcome, asOf);
    told++;
  };
  const caller = async (): Promise<void> => {
    while (!over) {
      const outdated = acknowledged > 0n && random() < OUTDATED;
      const securityRevision = acknowledged - (outdated ? 1n : 0n);
      const record = newRecord({ securityRevision });
      const rival = random() < RACED ? newRecord({ securityRevision, key: record.key }) : null;
      await Promise.all([ask(record), ...(rival ? [ask(rival)] : [])]);
    }
  };
  const replace = async (at: number): Promise<void> => {
    const old = ledgers[at] as OpenLedger;
    ledgers[at] = await openLedger(runtimeUrl);
    await endReplica(reaper, old.replica);
    replicasEnded++;
    await old.close();
  };
  const blow = async (): Promise<void> => {
    const chance = random();
    if (chance < 0.04) return replace(Math.floor(random() * LEDGERS));
    if (chance < 0.1) {
      await reaper.query("update revision set security = security + 1 where tenant = $1", [TENANT]);
      acknowledged++;
      return;
    }
    const epoch = pick(ledgers.flatMap(({ ledger }) => ledger.state().epochs));
    if (epoch === undefined) return;
    if (chance < 0.3) {
      await reaper.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = $1",
        [`remit-writer-${epoch}`],
      );
    }
    await fence(reaper, epoch);
  };

  const callers = Array.from({ length: CALLERS }, caller);
  let struck = 0;
  try {
    for (let struckAt = 0; struck < fences; struck++) {
      while (told < struckAt + ANSWERS_A_BLOW) await new Promise((resolve) => setTimeout(resolve, 1));
      struckAt = told;
      await blow();
    }
    over = true;
    await Promise.all(callers);
    await Promise.all(ledgers.map((one) => one.close()));
    const { rows } = await reaper.query("select id from record where id = any($1::uuid[])", [never]);
    wrong.push(...rows.map(({ id }) => `${id} was said never to be recorded, and is`));
    wrong.push(...(await audit(reaper, answers)));
    const { records, writers } = await census(reaper);
    return { wrong, fences: struck, replicasEnded, answered: answers.length, records, writers };
  } finally {
    over = true;
    await reaper.end();
  }
}
