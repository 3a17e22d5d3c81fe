import type { Pool } from "pg";
import type { TimeSample } from "../foundation/store-time.ts";

/**
 * What the store's time is. Asked twice: the first answer may include the opening of a connection. `now` is monotonic, in
 * milliseconds.
 */
export async function readStoreTime(pool: Pool, now: () => number): Promise<TimeSample> {
  const ask = async () => {
    const sentAtMs = now();
    const { rows } = await pool.query<{ ms: number }>(
      "select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms",
    );
    return { storeMs: rows[0]?.ms ?? Number.NaN, sentAtMs, heardAtMs: now() };
  };
  await ask();
  return ask();
}
