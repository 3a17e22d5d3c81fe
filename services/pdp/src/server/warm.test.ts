import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { Snapshot } from "../policies/index.ts";
import { warm } from "./warm.ts";

const never = { over: new Promise<void>(() => {}), stop: () => {} };

function house(inUse: readonly string[], load: (tenant: string) => Promise<unknown>) {
  const asked: string[] = [];
  const policies = { tenantsInUse: async () => [...inUse] };
  const snapshots = {
    current: (tenant: string) => {
      asked.push(tenant);
      return load(tenant) as Promise<Snapshot>;
    },
  };
  const reader = { stay: () => void asked.push("a thread stays") };
  return { asked, rooms: { policies, snapshots, reader, log: silentLog, patience: () => never } };
}

test("all tenants in use are loaded when it resolves, also beside one that cannot be", async () => {
  const loaded: string[] = [];
  const { rooms } = house(["a", "b", "c"], async (tenant) => {
    if (tenant === "b") throw new Error("away");
    loaded.push(tenant);
  });
  await warm(rooms);
  expect(loaded).toEqual(["a", "c"]);
});

test("a start waits only so long; what is left is loaded afterwards, unless the service stops", async () => {
  const first = Promise.withResolvers<void>();
  const { asked, rooms } = house(["a", "b"], () => first.promise);
  const patience = () => ({ over: Promise.resolve(), stop: () => {} });
  const stop = await warm({ ...rooms, patience });
  expect(asked).toEqual(["a"]);
  stop();
  first.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual(["a"]);
});

test("a store that cannot be asked keeps nobody from starting", async () => {
  const { asked, rooms } = house([], async () => undefined);
  const policies = { tenantsInUse: () => Promise.reject(new Error("away")) };
  await warm({ ...rooms, policies });
  expect(asked).toEqual([]);
});

test("the engine is warm and a thread reads before the first tenant is loaded, and only where that is asked for", async () => {
  const heard: string[] = [];
  const log = { ...silentLog, info: (_: object, message: string) => void heard.push(message) };
  const { asked, rooms } = house(["a"], async (tenant) => void heard.push(tenant));
  await warm({ ...rooms, log });
  expect([heard.splice(0), asked.splice(0)]).toEqual([["a"], ["a"]]);
  await warm({ ...rooms, log, engine: true });
  expect([heard, asked]).toEqual([
    ["the engine is warm", "a"],
    ["a thread stays", "a"],
  ]);
});
