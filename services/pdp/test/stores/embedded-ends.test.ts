import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { type Child, embeddedChild, eventually, processes } from "../support/processes.ts";
import { withClient } from "../support/test-database.ts";

interface Told {
  readonly pid: number;
  readonly socketDir: string;
  readonly runtimeUrl: string;
}

const throwAway = { durable: false } as const;
const asRoot = process.getuid?.() === 0;

/** Nothing runs that names the place, and the place is gone. */
async function gone(place: string): Promise<void> {
  await eventually(async () => !(await processes()).some(({ command }) => command.includes(place)));
  await eventually(() => !existsSync(place));
}

const ways: readonly (readonly [string, (child: Child) => void])[] = [
  ["SIGKILL", (child) => child.kill("SIGKILL")],
  ["SIGTERM", (child) => child.kill("SIGTERM")],
  ["SIGHUP to its group", (child) => child.kill("SIGHUP", "group")],
  ["an exception nobody catches", (child) => child.write("crash\n")],
];

for (const [name, end] of ways) {
  test(`no process and no directory outlive ${name}`, async () => {
    const child = embeddedChild(throwAway);
    const { pid, socketDir } = await child.told<Told>();
    expect((await processes()).some((one) => one.pid === pid)).toBe(true);
    end(child);
    await child.exited;
    await gone(socketDir);
    expect((await processes()).some((one) => one.pid === pid)).toBe(false);
  });
}

test("a Ctrl-C does not reach Postgres: it answers until it is told to stop", async () => {
  const child = embeddedChild(throwAway);
  const { socketDir } = await child.told<Told>();
  child.kill("SIGINT", "group");
  expect(await child.line()).toBe("drained");
  await child.exited;
  await gone(socketDir);
});

test("SIGKILL while the cluster is being made leaves nothing either", async () => {
  const child = embeddedChild(throwAway);
  let place: string | undefined;
  await eventually(async () => {
    const keeper = (await processes()).find(
      ({ parent, command }) => parent === child.pid && command.includes("keeper"),
    );
    place = keeper === undefined ? undefined : /remit-postgres-keeper (\S+)/.exec(keeper.command)?.[1];
    return place !== undefined;
  });
  child.kill("SIGKILL");
  await child.exited;
  await gone(place ?? "");
});

test("connections in the middle of a transaction do not keep Postgres alive", async () => {
  const child = embeddedChild(throwAway);
  const { socketDir, runtimeUrl } = await child.told<Told>();
  await withClient(runtimeUrl, async (client) => {
    await client.query("begin isolation level read committed");
    child.kill("SIGKILL");
    await child.exited;
    await gone(socketDir);
  }).catch(() => {});
  expect(existsSync(socketDir)).toBe(false);
});

test("stop resolves when Postgres and its directory are gone", async () => {
  const postgres = await startEmbedded(throwAway);
  await postgres.stop();
  expect(existsSync(postgres.socketDir)).toBe(false);
  expect((await processes()).some(({ pid }) => pid === postgres.pid)).toBe(false);
  expect(await postgres.ended).toMatchObject({ expected: true });
});

test("a Postgres that somebody else ends is told as such, and leaves nothing", async () => {
  const postgres = await startEmbedded(throwAway);
  process.kill(postgres.pid, "SIGQUIT");
  expect(await postgres.ended).toMatchObject({ expected: false });
  await gone(postgres.socketDir);
});

test("when the keeper itself is killed, Postgres is ended without it", async () => {
  const postgres = await startEmbedded(throwAway);
  const keeper = (await processes()).find(({ pid }) => pid === postgres.pid)?.parent;
  expect(keeper).toBeGreaterThan(1);
  process.kill(keeper ?? 0, "SIGKILL");
  expect(await postgres.ended).toMatchObject({ expected: false });
  await gone(postgres.socketDir);
});

if (asRoot) {
  test("it runs the same for a user who is not root", async () => {
    const child = embeddedChild(throwAway, { uid: 65_534, gid: 65_534 });
    const { socketDir, runtimeUrl } = await child.told<Told>();
    const { rows } = await withClient(runtimeUrl, (client) => client.query("select current_user::text as me"));
    expect(rows).toEqual([{ me: "remit_service" }]);
    child.kill("SIGKILL");
    await child.exited;
    await gone(socketDir);
  });
}
