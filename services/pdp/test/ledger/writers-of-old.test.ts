import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { silentLog } from "../../src/foundation/log.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { createSequencerStore, readSequencerStatus } from "../../src/stores/sequencer.ts";
import { createEmptyDatabase, withClient } from "../support/test-database.ts";

const published = fileURLToPath(new URL("../../../../migrations/", import.meta.url));
const ONE = "00000000-0000-4000-8000-000000000001";

test("a writer all of whose records had gone before there were places is none whose records are missing", async () => {
  const database = await createEmptyDatabase();
  const before = await mkdtemp(join(tmpdir(), "remit-migrations-"));
  try {
    for (const file of await readdir(published)) {
      if (file < "0031") await cp(join(published, file), join(before, file));
    }
    await migrate({ url: database.ownerUrl, directory: before });
    await withClient(database.superuserUrl, (client) =>
      client.query(`insert into replica (id, host, alive) values ('${ONE}', 'test', false);
        insert into writer (replica, pid, alive, last_n) values ('${ONE}', 0, false, 500), ('${ONE}', 0, false, 0)`),
    );
    await migrate({ url: database.ownerUrl });
    const store = createSequencerStore({ url: database.runtimeUrl, log: silentLog });
    const turn = { recordsMax: 500, pauseMs: 0 };
    expect(await store.turn(turn)).toMatchObject({ state: "placed", placed: 0 });
    await store.close();
    const status = await withClient(database.superuserUrl, (client) => readSequencerStatus(client));
    expect(status).toMatchObject({ writers: 0, gap: undefined });
  } finally {
    await database.drop();
    await rm(before, { recursive: true, force: true });
  }
});
