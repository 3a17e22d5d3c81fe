import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type EmbeddedPostgres, startEmbedded } from "../../src/stores/embedded.ts";
import { eventually, processes } from "../support/processes.ts";
import { withClient } from "../support/test-database.ts";

/*
 * A Postgres in a recovery without an end, as seen from outside: a standby of nobody that lets no reader in. It is made so
 * by a file that is taken away when it is to be started anew.
 */

/** Longer than a start takes: one that takes longer is only begun again, and given longer. */
const STUCK_AFTER_MS = 800;
let root: string;
let dataDir: string;
/** While this file is there its Postgres lets nobody in. */
let signal: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "remit-test-"));
  await chmod(root, 0o755);
  dataDir = join(root, "kept");
  signal = join(dataDir, "postgres", "data", "standby.signal");
  const postgres = await startEmbedded({ dataDir, durable: true });
  await withClient(postgres.ownerUrl, (client) => client.query("create table kept as select 7 as n"));
  await withClient(postgres.superuserUrl, (client) => client.query("alter system set hot_standby = off"));
  await postgres.stop();
});
afterEach(() => rm(signal, { force: true }));
afterAll(() => rm(root, { recursive: true, force: true }));

/** Ends one of its processes, so that it recovers. */
const crash = ({ superuserUrl }: EmbeddedPostgres) =>
  withClient(superuserUrl, async (client) => {
    const { rows } = await client.query("select pg_backend_pid() as pid");
    process.kill(rows[0].pid, "SIGKILL");
    await client.query("select 1");
  }).catch(() => {});

const kept = ({ ownerUrl }: EmbeddedPostgres) =>
  withClient(ownerUrl, async (client) => (await client.query("select n from kept")).rows);

test("a Postgres that lets nobody in for too long while it runs is started anew at the same place, and has its data", async () => {
  const lines: string[] = [];
  let ended = false;
  const postgres = await startEmbedded({
    ...{ dataDir, durable: true, stuckAfterMs: STUCK_AFTER_MS },
    log: async (line) => {
      lines.push(line);
      if (line.includes("it is ended")) await rm(signal, { force: true });
    },
  });
  void postgres.ended.then(() => {
    ended = true;
  });
  const { pid } = postgres;
  await writeFile(signal, "");
  await crash(postgres);
  await eventually(() => postgres.startedAnew > 0 && postgres.pid !== pid);
  expect(await kept(postgres)).toEqual([{ n: 7 }]);
  expect(lines[0]).toContain("let nobody in for too long: it is ended and started anew");
  expect(lines.at(-1)).toBe("Postgres was started anew");
  expect(ended).toBe(false);
  await postgres.stop();
  expect(await postgres.ended).toMatchObject({ expected: true });
});

test("one that lets nobody in from its start is given longer each time, and is started anew until it lets somebody in", async () => {
  await writeFile(signal, "");
  let times = 0;
  const postgres = await startEmbedded({
    ...{ dataDir, durable: true, stuckAfterMs: STUCK_AFTER_MS },
    log: async (line) => {
      if (line.includes("it is ended") && ++times === 2) await rm(signal, { force: true });
    },
  });
  expect(times).toBeGreaterThan(1);
  expect(await kept(postgres)).toEqual([{ n: 7 }]);
  await postgres.stop();
});

test("one that is being started anew is ended when it is told to stop", async () => {
  let times = 0;
  const log = (line: string) => {
    if (line.includes("it is ended")) times++;
  };
  const postgres = await startEmbedded({ dataDir, durable: true, stuckAfterMs: STUCK_AFTER_MS, log });
  await writeFile(signal, "");
  await crash(postgres);
  await eventually(() => times > 0);
  await postgres.stop();
  expect(await postgres.ended).toMatchObject({ expected: true });
  // What its postmaster had forked in its last moment ends by itself, once it finds that it has none.
  const left = async () => (await processes()).filter(({ command }) => command.includes(postgres.socketDir));
  await eventually(async () => (await left()).length === 0);
});
