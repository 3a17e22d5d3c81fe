import { execFile } from "node:child_process";
import { chmod, chown, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedPostgres, startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { withClient } from "../support/test-database.ts";
import { audit } from "./audit.ts";
import { type Answer, askOver, furnishFleet, openSessions } from "./clients.ts";
import { launcher, startFleet } from "./fleet.ts";

const run = promisify(execFile);
const NOBODY = 65_534;

let directory: string;
/** Where whatever Postgres is in charge is reached: a link to its socket's directory. */
let inCharge: string;
let postgres: EmbeddedPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "remit-lost-"));
  await chmod(directory, 0o755);
  inCharge = join(directory, "in-charge");
});
afterAll(async () => {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

const at = (role: string) => `postgresql://${role}@localhost:5432/remit?host=${encodeURIComponent(inCharge)}`;

async function putInCharge(name: string): Promise<EmbeddedPostgres> {
  postgres = await startEmbedded({ dataDir: join(directory, name), durable: true });
  await rm(inCharge, { force: true });
  await symlink(postgres.socketDir, inCharge);
  return postgres;
}

/** A backup as archive recovery restores it: the same system, older, on a new timeline. */
async function takeBackup(from: string, to: string): Promise<void> {
  await run("cp", ["-a", join(directory, from), join(directory, to)]);
  const data = join(directory, to, "postgres", "data");
  const signal = join(data, "recovery.signal");
  await writeFile(signal, "");
  await writeFile(join(data, "postgresql.auto.conf"), "restore_command = 'false'\n");
  if (process.getuid?.() === 0) await chown(signal, NOBODY, NOBODY);
}

const recover = (...more: string[]) =>
  run(process.execPath, [launcher, "recover", ...more], {
    cwd: directory,
    env: { PATH: process.env.PATH, REMIT_MIGRATION_URL: at("remit_owner"), REMIT_MODE: "development" },
  });

test("a Postgres that lost commits stops the line; once recovered, no number that was answered is given again", async () => {
  const first = await putInCharge("first");
  await migrate({ url: first.ownerUrl });
  await using fleet = await startFleet(at("remit_service"), 1);
  const [member] = fleet.members;
  if (!member) throw new Error("a fleet of nobody");
  await furnishFleet(member, fleet.ownerKey);
  const [session] = await openSessions(member, fleet.ownerKey, 1);
  if (!session) throw new Error("no session");
  const ask = askOver(member);
  const decide = async (from: number, to: number): Promise<Answer[]> => {
    const names = Array.from({ length: to - from }, (_, index) => `call-${from + index}`);
    return Promise.all(names.map((name) => ask(name, session, 10_000)));
  };
  const kept = await decide(0, 20);
  member.signal("SIGTERM");
  expect((await member.serving().ended).code).toBe(0);
  await first.stop();
  await takeBackup("first", "backup");

  // What is answered from here on is not in the backup.
  const again = await putInCharge("first");
  await member.start();
  const lost = await decide(20, 60);
  process.kill(again.pid, "SIGQUIT");
  await again.ended;
  await putInCharge("backup");
  const stopped = await member.serving().ended;
  expect(stopped.code).toBe(3);
  expect(stopped.lastWords).toContain("is not the one that recorded before");
  await expect(member.start()).rejects.toThrow(/ended with 3: .*remit recover/s);

  expect((await recover("--yes")).stdout).toContain("recovered: start the replicas.");
  await member.start();
  const anew = await decide(0, 60);

  // What the backup had is answered as it was; what it had lost was never seen, and is decided anew.
  expect(anew.slice(0, 20)).toEqual(kept);
  const numbers = new Set([...kept, ...lost, ...anew.slice(20)].map(({ epoch, n }) => `${epoch}/${n}`));
  expect(numbers.size).toBe(20 + 40 + 40);
  await withClient(at("remit_owner"), async (client) => {
    expect(await audit(client, anew)).toEqual([]);
  });
}, 240_000);
