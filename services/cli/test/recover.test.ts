import { chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { remit, serve, serveArguments, temporaryDirectory } from "./remit.ts";

const NOBODY = 65_534;

/** What an archive recovery is to Postgres: the same system on a new timeline. */
async function restoreFromArchive(dataDir: string): Promise<void> {
  const data = join(dataDir, "postgres", "data");
  const signal = join(data, "recovery.signal");
  await writeFile(signal, "");
  await writeFile(join(data, "postgresql.auto.conf"), "restore_command = 'false'\n");
  if (process.getuid?.() === 0) await chown(signal, NOBODY, NOBODY);
}

test("after a restored backup nothing starts until an operator has recovered it, and then it goes on", async () => {
  await using directory = await temporaryDirectory();
  const recover = (...more: string[]) =>
    remit(["recover", "--data-dir", directory.path, ...more], { env: { REMIT_LOG_LEVEL: "error" } });

  const first = await serve(directory.path);
  const env = { REMIT_API_KEY: first.at.bootstrapKey ?? "" };
  const inUse = await recover();
  expect(inUse.code).toBe(3);
  expect(inUse.stderr).toContain("stop the other `remit serve`");
  first.child.kill("SIGTERM");
  await first.ended;
  const whole = await recover("--yes");
  expect(whole.code).toBe(1);
  expect(whole.stderr).toContain("there is nothing to recover");

  await restoreFromArchive(directory.path);
  const refused = await remit(serveArguments(directory.path));
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain("remit recover");
  const dry = await recover();
  expect(dry.code).toBe(0);
  expect(dry.stdout).toMatch(/Recorded before on system \d+, timeline 1; this is system \d+, timeline 2\./);
  expect(dry.stdout).toContain("would do: the next writer is 1,000,000,");
  expect(dry.stdout).toContain("Nothing was changed.");
  const done = await recover("--yes", "--json");
  expect([done.code, JSON.parse(done.stdout).state]).toEqual([0, "recovered"]);

  const second = await serve(directory.path);
  const listed = await remit(["keys", "list"], { env: { ...env, REMIT_ADMIN_ADDRESS: second.at.adminAddress } });
  expect(listed.code).toBe(0);
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
});

test("with a Postgres of one's own the owner's connection is asked for", async () => {
  const env = { REMIT_DATABASE_URL: "postgres://remit@localhost/remit", REMIT_MODE: "development" };
  const { code, stderr } = await remit(["recover"], { env });
  expect(code).toBe(2);
  expect(stderr).toContain("REMIT_MIGRATION_URL");
});
