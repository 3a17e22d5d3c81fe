import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { openPool } from "../../src/stores/database.ts";
import { documentRows } from "../../src/stores/document-rows.ts";
import { createTestDatabase } from "../support/test-database.ts";
import { startTlsPostgres } from "../support/tls-postgres.ts";

const plain = async () => {
  const { runtimeUrl, drop } = await createTestDatabase();
  return { url: runtimeUrl, leave: drop };
};
const withinTls = async () => {
  const { runtimeUrl, close } = await startTlsPostgres();
  return { url: runtimeUrl, leave: close };
};

const texts = (n: number) => `select i, repeat('aä€𝄞' || i || E'"\\n', ${n} + i) as text, null as nothing, '' as empty,
    to_jsonb(repeat('𝄞ü', ${n} / 2)) as document, now() - now() as none
  from generate_series(1, 4) i order by i`;

// Wherever a piece ends, some header or length of these stands there.
const columns = Array.from({ length: 1_000 }, (_, at) => `repeat('ü', i + ${at % 50}) as c${at}`).join(", ");
describe.each([
  ["in plain", plain, false],
  ["over TLS", withinTls, true],
])("what is read of Postgres %s", (_where, open, isTls) => {
  let url: string;
  let pool: ReturnType<typeof openPool>;
  let leave: () => Promise<void>;
  let pauses = 0;
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const pause = async () => {
    pauses++;
    await turn();
  };
  beforeAll(async () => {
    ({ url, leave } = await open());
    pool = openPool({ url, name: "long-rows", log: silentLog, pause });
  });
  afterAll(async () => {
    await pool.end();
    await leave();
  });

  test("speaks as it is said to", async () => {
    const { rows } = await pool.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
    expect(rows).toEqual([{ ssl: isTls }]);
  });

  /** As the driver reads it by itself. */
  async function plainly(text: string) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  test.each([10, 5_000, 60_000, 300_000])(
    "rows with texts of %s times some characters are what the driver makes of them",
    async (n) => {
      const expected = await plainly(texts(n));
      expect((await pool.query(texts(n))).rows).toEqual(expected);
      expect(await documentRows(pool, texts(n), [])).toEqual(expected);
    },
  );

  test("between the parts of a long answer others are let in, and with a short one nobody waits", async () => {
    pauses = 0;
    await pool.query("select repeat('x', 4000) from generate_series(1, 20)");
    expect(pauses).toBe(0);
    await pool.query("select repeat('x', 2000000)");
    expect(pauses).toBeGreaterThan(4);
    pauses = 0;
    await pool.query("select repeat('x', 4000) from generate_series(1, 1000)");
    expect(pauses).toBeGreaterThan(10);
  });

  test("short answers are not added up over the questions of a connection", async () => {
    pauses = 0;
    const client = await pool.connect();
    try {
      for (let n = 0; n < 50; n++) await client.query("select repeat('x', 50000)");
    } finally {
      client.release();
    }
    expect(pauses).toBe(0);
  });

  test("a question that fails behind a long row is refused, and its connection goes on", async () => {
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

  test.each([
    ["very many short rows", "select i, repeat('é', i % 100) as text from generate_series(1, 20000) i order by i"],
    ["long rows of very many columns", `select ${columns} from generate_series(20, 60) i order by i`],
  ])("%s are what the driver makes of them", async (_, text) => {
    expect((await pool.query(text)).rows).toEqual(await plainly(text));
  });
});
