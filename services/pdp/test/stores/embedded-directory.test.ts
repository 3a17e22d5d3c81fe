import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { findPostgres } from "../../src/stores/postgres-binaries.ts";
import { embeddedChild, eventually } from "../support/processes.ts";
import { withClient } from "../support/test-database.ts";

const asRoot = process.getuid?.() === 0;
const nobody = { uid: 65_534, gid: 65_534 };
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "remit-test-"));
  await chmod(root, 0o755);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("what was committed is there after a restart", async () => {
  const dataDir = join(root, "kept");
  const first = await startEmbedded({ dataDir, durable: true });
  await withClient(first.ownerUrl, (client) => client.query("create table kept as select 7 as n"));
  await first.stop();
  const second = await startEmbedded({ dataDir, durable: true });
  const { rows } = await withClient(second.ownerUrl, (client) =>
    client.query(
      "select n, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync from kept",
    ),
  );
  await second.stop();
  expect(rows).toEqual([{ n: 7, fsync: "on", sync: "on" }]);
  expect(await readdir(join(dataDir, "postgres"))).toEqual(["data"]);
});

test("after SIGKILL the next start waits until the Postgres before has ended, and has its data", async () => {
  const dataDir = join(root, "killed");
  const child = embeddedChild({ dataDir, durable: true });
  const { ownerUrl } = await child.told<{ ownerUrl: string }>();
  await withClient(ownerUrl, (client) => client.query("create table kept as select 8 as n"));
  child.kill("SIGKILL");
  const next = await startEmbedded({ dataDir, durable: true });
  const { rows } = await withClient(next.ownerUrl, (client) => client.query("select n from kept"));
  await next.stop();
  expect(rows).toEqual([{ n: 8 }]);
});

test("after its postmaster was killed the next start waits for what that left behind, and has its data", async () => {
  const dataDir = join(root, "orphaned");
  const first = await startEmbedded({ dataDir, durable: true });
  await withClient(first.ownerUrl, (client) => client.query("create table kept as select 6 as n"));
  const client = new pg.Client({ connectionString: first.ownerUrl });
  client.on("error", () => {});
  await client.connect();
  const { rows: pids } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const left = pids[0]?.pid ?? 0;
  // It does not notice that it is alone.
  process.kill(left, "SIGSTOP");
  process.kill(first.pid, "SIGKILL");
  await first.ended;
  const lines: string[] = [];
  const starting = startEmbedded({ dataDir, durable: true, log: (line) => void lines.push(line) });
  await eventually(() => lines.some((line) => line.includes("it is waited for")));
  process.kill(left, "SIGCONT");
  const next = await starting;
  await client.end().catch(() => {});
  const { rows } = await withClient(next.ownerUrl, (other) => other.query("select n from kept"));
  await next.stop();
  expect(lines).toEqual([expect.stringContaining(`a Postgres that was killed still use ${dataDir}`)]);
  expect(rows).toEqual([{ n: 6 }]);
});

test("of several that start on one new directory at once one serves, and the others say who holds it", async () => {
  const dataDir = join(root, "raced");
  const children = Array.from({ length: 3 }, () => embeddedChild({ dataDir, durable: true }));
  const told = await Promise.all(
    children.map((child) => child.told<{ pid?: number; failed?: string; message?: string }>()),
  );
  const winner = told.find(({ pid }) => pid !== undefined);
  const losers = told.filter(({ failed }) => failed !== undefined);
  // Any other reason shows itself with its words.
  const reasons = losers.map(({ failed, message }) => (failed === "data_dir_in_use" ? failed : message));
  expect(reasons).toEqual(["data_dir_in_use", "data_dir_in_use"]);
  for (const { message } of losers) {
    expect(message).toContain(dataDir);
    expect(message).toContain(`process ${winner?.pid}`);
  }
  for (const child of children) {
    if (told[children.indexOf(child)] === winner) child.kill("SIGTERM");
    await child.exited;
  }
});

test("a directory that is not Postgres's is named and left alone", async () => {
  const dataDir = join(root, "foreign");
  await mkdir(join(dataDir, "postgres", "data"), { recursive: true });
  if (asRoot) await chown(join(dataDir, "postgres"), nobody.uid, nobody.gid);
  await writeFile(join(dataDir, "postgres", "data", "letters.txt"), "mine");
  await expect(startEmbedded({ dataDir, durable: true })).rejects.toMatchObject({
    reason: "data_dir_unusable",
    message: `${join(dataDir, "postgres", "data")} is not a data directory of Postgres`,
  });
  expect(await readFile(join(dataDir, "postgres", "data", "letters.txt"), "utf8")).toBe("mine");
});

test("a directory of another major version is refused with both versions", async () => {
  const dataDir = join(root, "older");
  const postgres = await startEmbedded({ dataDir, durable: true });
  await postgres.stop();
  await writeFile(join(dataDir, "postgres", "data", "PG_VERSION"), "16\n");
  await expect(startEmbedded({ dataDir, durable: true })).rejects.toMatchObject({
    reason: "data_dir_unusable",
    message: expect.stringMatching(/was made by Postgres 16, and this build brings Postgres \d+/),
  });
});

test("a directory that cannot be made says why", async () => {
  const file = join(root, "file");
  await writeFile(file, "");
  await expect(startEmbedded({ dataDir: join(file, "below"), durable: true })).rejects.toMatchObject({
    reason: "data_dir_unusable",
    detail: { fix: expect.stringContaining("REMIT_DATA_DIR") },
  });
});

test("over TCP the port must be free and a password is asked for", async () => {
  const listener = createServer();
  const port = await new Promise<number>((resolve) => {
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  await expect(startEmbedded({ durable: false, tcpPort: port })).rejects.toMatchObject({
    reason: "port_in_use",
    message: `port ${port} on 127.0.0.1 is in use`,
  });
  await new Promise((resolve) => listener.close(resolve));
  const postgres = await startEmbedded({ durable: false, tcpPort: port });
  const url = postgres.tcp?.runtimeUrl ?? "";
  const { rows } = await withClient(url, (client) => client.query("select current_user::text as me"));
  expect(rows).toEqual([{ me: "remit_service" }]);
  const wrong = new URL(url);
  wrong.password = "guess";
  await expect(withClient(wrong.toString(), (client) => client.query("select 1"))).rejects.toMatchObject({
    code: "28P01",
  });
  await postgres.stop();
});

test("where there is no build for the machine, the error says what to do", async () => {
  const missing = async () => ({ initdb: join(root, "initdb"), postgres: join(root, "no-postgres") });
  await expect(findPostgres({ runAs: undefined, log: () => {}, locate: missing })).rejects.toMatchObject({
    reason: "embedded_unavailable",
    detail: { fix: expect.stringContaining("REMIT_DATABASE_URL") },
  });
});

if (asRoot) {
  test("a directory of another user is refused with both uids", async () => {
    const dataDir = join(root, "theirs");
    await mkdir(join(dataDir, "postgres"), { recursive: true });
    await chown(join(dataDir, "postgres"), 4321, 4321);
    await expect(startEmbedded({ dataDir, durable: true })).rejects.toMatchObject({
      reason: "data_dir_unusable",
      message: expect.stringMatching(/owned by uid 4321, Postgres would run as uid 65534/),
    });
  });

  test("below a home that only root may enter, the data is put where Postgres may get to, and found again", async () => {
    const home = join(root, "home");
    await mkdir(home, { mode: 0o700 });
    const dataDir = join(home, "checkout", ".remit");
    const lines: string[] = [];
    const start = () => startEmbedded({ dataDir, durable: true, log: (line) => void lines.push(line) });
    const first = await start();
    const elsewhere = await readlink(join(dataDir, "postgres"));
    try {
      expect(lines).toEqual([expect.stringContaining(`it may not enter ${home}: the data is in ${elsewhere}`)]);
      await withClient(first.ownerUrl, (client) => client.query("create table kept as select 9 as n"));
      await first.stop();
      const second = await start();
      const { rows } = await withClient(second.ownerUrl, (client) => client.query("select n from kept"));
      await second.stop();
      expect(rows).toEqual([{ n: 9 }]);
      expect(lines).toHaveLength(1);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
    await expect(start()).rejects.toMatchObject({
      message: expect.stringContaining("has lost what its postgres points to"),
    });
  });

  test("a directory that was closed later is refused with the one that is closed", async () => {
    const open = join(root, "open");
    const dataDir = join(open, ".remit");
    await (await startEmbedded({ dataDir, durable: true })).stop();
    await chmod(open, 0o700);
    await expect(startEmbedded({ dataDir, durable: true })).rejects.toMatchObject({
      reason: "data_dir_unusable",
      message: expect.stringContaining(`may not enter ${open}, above the data directory ${dataDir}`),
    });
  });

  test("programs below a home that only root may enter are copied to where Postgres may read them", async () => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const installed = await findPostgres({ runAs: nobody, log });
    expect(lines).toEqual([]);
    const closed = join(root, "closed");
    await mkdir(closed, { mode: 0o700 });
    await cp(join(installed.postgres, "..", ".."), join(closed, "native"), { recursive: true, verbatimSymlinks: true });
    const locate = async () => ({
      initdb: join(closed, "native", "bin", "initdb"),
      postgres: join(closed, "native", "bin", "postgres"),
    });
    const copies = join(root, "copies");
    const found = await findPostgres({ runAs: nobody, log, locate, copies });
    expect(found.major).toBe(installed.major);
    expect(found.postgres.startsWith(copies)).toBe(true);
    expect(lines[0]).toContain(`it runs from ${copies}`);
    expect(await findPostgres({ runAs: nobody, log, locate, copies })).toEqual(found);
    const [copy] = await readdir(copies);
    await chown(join(copies, copy ?? ""), nobody.uid, nobody.gid);
    await expect(findPostgres({ runAs: nobody, log, locate, copies })).rejects.toMatchObject({
      message: expect.stringContaining("could have been written by somebody else"),
    });
  });
}
