import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { migrate } from "../../src/stores/migrate.ts";
import { createEmptyDatabase, withClient } from "../support/test-database.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** The statement of docs/operating.md whose rows are statements. */
async function documented(): Promise<string> {
  const page = await readFile(join(root, "docs/operating.md"), "utf8");
  return /^select format\('create index concurrently.*?(?=\s*\\gexec)/ms.exec(page)?.[0] ?? "";
}

test("the index of decisions that is made beforehand, as the docs say, is taken over and not made again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "remit-index-"));
  const database = await createEmptyDatabase();
  try {
    await cp(join(root, "migrations"), directory, { recursive: true });
    for (const file of await readdir(directory)) if (file >= "0006") await rm(join(directory, file));
    await migrate({ url: database.ownerUrl, directory });
    await withClient(database.ownerUrl, async (client) => {
      const { rows } = await client.query({ text: await documented(), rowMode: "array" });
      for (const [statement] of rows) await client.query(statement);
      await migrate({ url: database.ownerUrl });
      const { rows: made } = await client.query<{ own: number; all: number; partitions: number }>(
        `select count(*) filter (where i.indexrelid::regclass::text like '%_decision')::int as own,
           count(*)::int as all,
           (select count(*)::int from pg_inherits where inhparent = 'record'::regclass) as partitions
         from pg_inherits h join pg_index i on i.indexrelid = h.inhrelid
        where h.inhparent = 'record_decision'::regclass and i.indisvalid`,
      );
      const [{ own, all, partitions } = { own: 0, all: 0, partitions: 0 }] = made;
      expect(rows.length).toBe(partitions);
      expect([own, all]).toEqual([partitions, partitions]);
    });
  } finally {
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  }
});
