import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { remit, serve, serveArguments, start, temporaryDirectory } from "./remit.ts";

test("serve prints its addresses and the owner's key once; Ctrl-C stops it, and it starts again without the key", async () => {
  await using directory = await temporaryDirectory();
  const first = start(serveArguments(directory.path));
  const said = await first.says("Ctrl-C stops it.");
  const key = /export REMIT_API_KEY=(rmt_\S+)/.exec(said)?.[1] ?? "";
  const admin = /admin +http:\/\/(\S+)/.exec(said)?.[1] ?? "";
  expect(said).toContain("shown this once");
  const { code, stdout } = await remit(["agents", "list", "--json"], {
    env: { REMIT_API_KEY: key, REMIT_ADMIN_ADDRESS: admin },
  });
  expect([code, JSON.parse(stdout)]).toEqual([0, {}]);
  first.child.kill("SIGINT");
  expect((await first.ended).code).toBe(0);

  const second = start(serveArguments(directory.path));
  const again = await second.says("Ctrl-C stops it.");
  expect(again).not.toContain("rmt_");
  const ready = /curl -s (\S+)/.exec(again)?.[1] ?? "";
  expect((await fetch(ready)).status).toBe(200);
  second.child.kill("SIGTERM");
  expect((await second.ended).code).toBe(0);
});

test("a Ctrl-C that npm hands on twice is one", async () => {
  await using directory = await temporaryDirectory();
  const running = await serve(directory.path);
  running.child.kill("SIGINT");
  running.child.kill("SIGINT");
  running.child.kill("SIGTERM");
  const { code, stderr } = await running.ended;
  expect(code).toBe(0);
  expect(stderr.match(/finishing the calls in flight/g)).toHaveLength(1);
});

test("a port in use is told with its variable and ends with 3", async () => {
  await using directory = await temporaryDirectory();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  try {
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await remit(serveArguments(directory.path, "--admin-address", `127.0.0.1:${port}`));
    expect(code).toBe(3);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain("REMIT_ADMIN_ADDRESS");
  } finally {
    taken.close();
  }
});

test("a data directory that another process owns is told and ends with 3", async () => {
  await using directory = await temporaryDirectory();
  const owner = await serve(directory.path);
  try {
    const { code, stderr } = await remit(serveArguments(directory.path));
    expect(code).toBe(3);
    expect(stderr).toContain(directory.path);
  } finally {
    owner.child.kill("SIGINT");
    expect((await owner.ended).code).toBe(0);
  }
});

test("--demo prints a curl line that works, at the first start and at the next", async () => {
  await using directory = await temporaryDirectory();
  for (const _ of ["first", "next"]) {
    const running = start(serveArguments(directory.path, "--demo"));
    const said = await running.says("Ctrl-C stops it.");
    const [, url = ""] = /curl -s (\S+)/.exec(said) ?? [];
    const headers = [...said.matchAll(/-H '([^:]+): ([^']+)'/g)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    );
    const [, body = ""] = /-d '([^']+)'/.exec(said) ?? [];
    const answer = await fetch(url, { method: "POST", headers: Object.fromEntries(headers), body });
    expect(await answer.json()).toMatchObject({ effect: "EFFECT_ALLOW", rules: [{ policy: "payments", rule: "pay" }] });
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(0);
  }
});
