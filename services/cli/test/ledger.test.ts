import { expect, test } from "vitest";
import { migrate } from "../../pdp/src/stores/migrate.ts";
import { withClient } from "../../pdp/test/support/test-database.ts";
import { durablePostgres } from "./durable-postgres.ts";
import { remit } from "./remit.ts";

test("how far the ledger's places are is told of a database, and that a record is missing in it", async () => {
  await using postgres = await durablePostgres();
  await migrate({ url: postgres.ownerUrl });
  const status = (...more: string[]) =>
    remit(["ledger", "status", ...more], { env: { REMIT_DATABASE_URL: postgres.runtimeUrl } });
  const before = await status();
  expect([before.code, before.stdout]).toEqual([
    0,
    "0 records of the cell have their places; 0 writers may have more\n",
  ]);

  await withClient(postgres.ownerUrl, async (owner) => {
    await owner.query("insert into replica (id, host) values (gen_random_uuid(), 'test')");
    await owner.query("insert into writer (replica, pid) select id, 0 from replica");
    await owner.query(`insert into record (day, writer, n, ord, id, tenant, kind, digest, body)
      select current_date, writer, 2, 1, gen_random_uuid(), 'acme', 'decision', sha256('x'), 'x' from writer`);
  });
  const holed = await status();
  expect(holed.code).toBe(1);
  expect(holed.stderr).toContain("record 1 of epoch 1 is missing");
  const told = JSON.parse((await status("--json")).stdout);
  expect(told).toMatchObject({ size: "0", writers: 1, missing: { epoch: "1", n: "1" } });
});

test("without a database of one's own it says where the embedded one tells it", async () => {
  const { code, stderr } = await remit(["ledger", "status"]);
  expect(code).toBe(3);
  expect(stderr).toContain("/metrics");
});
