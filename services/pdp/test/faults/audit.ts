import type { Client } from "pg";
import type { Answer } from "./clients.ts";

/** What must never be found in the ledger, whatever befell those who wrote it: each answers the rows that are wrong. */
const RULES: Readonly<Record<string, string>> = {
  "a record stands twice": "select id from record group by id having count(*) > 1",
  "a number of a writer stands twice": "select writer, n from record group by writer, n having count(*) > 1",
  "the numbers of a writer have a gap":
    "select writer from record group by writer having max(n) <> count(*) or min(n) <> 1",
  "a key stands twice": "select session, key from call group by session, key having count(*) > 1",
  "a record has no key": "select r.id from record r where not exists (select from call c where c.id = r.id)",
  "a key has no record": "select c.id from call c where not exists (select from record r where r.id = c.id)",
  "a writer that was shut out recorded afterwards": `select w.writer from writer w
    where not w.alive and w.last_n is distinct from (select coalesce(max(n), 0) from record r where r.writer = w.writer)`,
  "places have a gap": "select max(seq) from leaf having count(*) > 0 and (min(seq) <> 1 or max(seq) <> count(*))",
  "the head is not the last place": "select size from tree_head where size <> (select count(*) from leaf)",
  "a place is of no record, or of another one": `select l.seq from leaf l
    left join record r on r.writer = l.writer and r.n = l.n where r.digest is distinct from l.digest`,
  "what follows stands before what it follows from": `select f.seq from record r join record s on s.id = r.subject
    join leaf f on f.writer = r.writer and f.n = r.n left join leaf l on l.writer = s.writer and l.n = s.n
    where l.seq is null or l.seq > f.seq`,
  "a replica that was shut out has a living writer":
    "select w.writer from writer w join replica r on r.id = w.replica where w.alive and not r.alive",
};

const CHUNK = 10_000;

/** Answers that have no record, or another than the one they name. */
async function unrecorded(client: Client, answers: readonly Answer[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < answers.length; at += CHUNK) {
    const part = answers.slice(at, at + CHUNK);
    const { rows } = await client.query<{ id: string }>(
      `select id from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as given (id, writer, n)
        where not exists (select from record r where r.id = given.id and r.writer = given.writer and r.n = given.n)`,
      [
        part.map(({ decisionId }) => decisionId),
        part.map(({ epoch }) => String(epoch)),
        part.map(({ n }) => String(n)),
      ],
    );
    found.push(...rows.map(({ id }) => `the answer ${id} has no such record`));
  }
  return found;
}

/** Everything that is wrong with a ledger, as the owner sees it, and with what was answered of it. */
export async function audit(client: Client, answers: Iterable<Answer>): Promise<string[]> {
  const found = await unrecorded(client, [...answers]);
  for (const [rule, sql] of Object.entries(RULES)) {
    const { rows } = await client.query(sql);
    if (rows.length > 0) found.push(`${rule}: ${rows.length}, such as ${JSON.stringify(rows[0])}`);
  }
  return found;
}

/** Whether every record has its place. */
export async function allPlaced(client: Client): Promise<boolean> {
  const { rows } = await client.query("select (select count(*) from record) = (select count(*) from leaf) as all");
  return rows[0].all;
}

/** How much stands in the ledger. */
export async function census(client: Client): Promise<{ records: number; writers: number; fenced: number }> {
  const { rows } = await client.query(
    `select (select count(*) from record)::int as records, (select count(*) from writer)::int as writers,
       (select count(*) from writer where not alive)::int as fenced`,
  );
  return rows[0];
}
