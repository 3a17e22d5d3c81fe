import type { Client } from "pg";
import { PURSES } from "./purse.ts";

/** Budgets whose windows have an end. */
const TURNING = PURSES.filter(({ spec }) => /window: (hour|day)/.test(spec)).map(({ name }) => name);

/**
 * Closes the windows that are open, now: whoever is charged next is charged in another. Answers how many there were, and how
 * many holds they had open then. One after another, as whoever locks several of them does in an order of its own.
 */
export async function turnWindows(client: Client): Promise<{ windows: number; outlived: number }> {
  const open = await client.query<{ id: string }>(
    "select id::text from account where budget = any($1) and opens_at < now() and now() < closes_at order by id",
    [TURNING],
  );
  for (const { id } of open.rows) {
    await client.query(
      "update account set closes_at = now() where id = $1 and opens_at < now() and now() < closes_at",
      [id],
    );
  }
  const ids = open.rows.map(({ id }) => id);
  const holds = await client.query<{ n: number }>(
    "select count(*)::int as n from hold where accounts && $1::bigint[]",
    [ids],
  );
  return { windows: ids.length, outlived: holds.rows[0]?.n ?? 0 };
}
