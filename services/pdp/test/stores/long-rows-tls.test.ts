import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { openPool } from "../../src/stores/database.ts";
import { documentRows } from "../../src/stores/document-rows.ts";
import { startTlsPostgres } from "../support/tls-postgres.ts";

let postgres: Awaited<ReturnType<typeof startTlsPostgres>>;
let pool: ReturnType<typeof openPool>;
let pauses = 0;
const pause = () => {
  pauses++;
  return new Promise<void>((resolve) => setImmediate(resolve));
};
const isSecure = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
beforeAll(async () => {
  postgres = await startTlsPostgres();
  pool = openPool({ url: postgres.runtimeUrl, name: "long-rows", log: silentLog, pause });
});
afterAll(async () => {
  await pool.end();
  await postgres.close();
});

const texts = (n: number) => `select i, repeat('aä€𝄞' || i || E'"\\n', ${n} + i) as text, null as nothing, '' as empty,
    to_jsonb(repeat('𝄞ü', ${n} / 2)) as document, now() - now() as none
  from generate_series(1, 4) i order by i`;

/** As the driver reads it by itself. */
async function plainly(text: string) {
  const client = new pg.Client({ connectionString: postgres.runtimeUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

test.each([10, 5_000, 60_000, 300_000])(
  "over TLS rows with texts of %s times some characters are what the driver makes of them",
  async (n) => {
    const expected = await plainly(texts(n));
    expect((await pool.query(texts(n))).rows).toEqual(expected);
    expect(await documentRows(pool, texts(n), [])).toEqual(expected);
  },
);

// Wherever a piece ends, some header or length of these stands there.
const columns = Array.from({ length: 1_000 }, (_, at) => `repeat('ü', i + ${at % 50}) as c${at}`).join(", ");
test.each([
  ["very many short rows", "select i, repeat('é', i % 100) as text from generate_series(1, 20000) i order by i"],
  ["long rows of very many columns", `select ${columns} from generate_series(20, 60) i order by i`],
])("over TLS %s are what the driver makes of them", async (_, text) => {
  expect((await pool.query(text)).rows).toEqual(await plainly(text));
});

test("over TLS others are let in between the parts of a long answer, and with a short one nobody waits", async () => {
  const client = await pool.connect();
  try {
    expect((await client.query(isSecure)).rows).toEqual([{ ssl: true }]);
    pauses = 0;
    await client.query("select repeat('x', 4000) from generate_series(1, 20)");
    expect(pauses).toBe(0);
    await client.query("select repeat('x', 2000000)");
    expect(pauses).toBeGreaterThan(4);
  } finally {
    client.release();
  }
});

test("over TLS a question that fails behind a long row is refused, and its connection goes on", async () => {
  const client = await pool.connect();
  try {
    await expect(
      client.query("select repeat('x', 1000000), 1 / (2 - i) from generate_series(1, 2) i"),
    ).rejects.toMatchObject({ code: "22012" });
    expect((await client.query("select repeat('y', 300000) as y")).rows).toEqual([{ y: "y".repeat(300_000) }]);
  } finally {
    client.release();
  }
});
