import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { Beat, PeerStore } from "./peer-store.ts";
import { createPeers } from "./peers.ts";
import { STILL_LOOKS_MAX } from "./suspicion.ts";

/** Whatever follows at once has followed. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A replica among others, whose looks happen when a test says so. */
function among(counters: Map<string, bigint>) {
  let due: (() => void) | undefined;
  let failing = false;
  let alive = true;
  let closed = false;
  const fences: { readonly replica: string; readonly end: (was: boolean | Error) => void }[] = [];
  const told = { shutOut: 0, fenced: 0, heard: 0 };
  const store: PeerStore = {
    beat: async (): Promise<Beat> => {
      if (failing) throw new Error("the store is away");
      return { alive, counters: new Map(counters), storeMs: 0, sentAtMs: 0, heardAtMs: 0 };
    },
    fenceReplica: (replica) =>
      new Promise((resolve, reject) => {
        fences.push({ replica, end: (was) => (typeof was === "boolean" ? resolve(was) : reject(was)) });
      }),
    close: async () => {
      closed = true;
    },
  };
  const timing = {
    now: () => 0,
    turn: async () => undefined,
    random: () => 0,
    after: (_delayMs: number, run: () => void) => {
      due = run;
      return () => {
        due = undefined;
      };
    },
  };
  const peers = createPeers({
    store,
    log: silentLog,
    timing,
    heard: () => told.heard++,
    onShutOut: () => told.shutOut++,
    onFenced: () => told.fenced++,
  });
  const looks = async (times: number) => {
    for (let left = times; left > 0; left--) {
      const run = due;
      due = undefined;
      run?.();
      await settled();
    }
  };
  return {
    peers,
    fences,
    told,
    looks,
    waits: () => due !== undefined,
    closed: () => closed,
    fail: (now: boolean) => {
      failing = now;
    },
    die: () => {
      alive = false;
    },
  };
}

test("a peer that stands still is shut out once, and this replica is seen while that takes its time", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await settled();
  await one.looks(STILL_LOOKS_MAX - 1);
  expect(one.fences).toEqual([]);
  await one.looks(5);
  expect(one.fences.map(({ replica }) => replica)).toEqual(["peer"]);
  expect(one.told).toEqual({ shutOut: 0, fenced: 0, heard: STILL_LOOKS_MAX + 5 });
  one.fences[0]?.end(true);
  await settled();
  expect(one.told.fenced).toBe(1);
});

test("what another replica shut out first is not counted here", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await one.looks(STILL_LOOKS_MAX + 1);
  one.fences[0]?.end(false);
  await settled();
  expect(one.told.fenced).toBe(0);
});

test("an outage makes nobody shut anybody out, however long it was", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await one.looks(STILL_LOOKS_MAX - 1);
  one.fail(true);
  await one.looks(10 * STILL_LOOKS_MAX);
  one.fail(false);
  await one.looks(STILL_LOOKS_MAX);
  expect(one.fences).toEqual([]);
  await one.looks(1);
  expect(one.fences).toHaveLength(1);
});

test("a fence that failed is tried again after as many looks as before", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await one.looks(STILL_LOOKS_MAX + 1);
  one.fences[0]?.end(new Error("the store went away"));
  await settled();
  await one.looks(STILL_LOOKS_MAX);
  expect(one.fences).toHaveLength(1);
  await one.looks(1);
  expect(one.fences).toHaveLength(2);
});

test("a replica that was shut out hears so once, looks no more, and suspects nobody", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await one.looks(STILL_LOOKS_MAX);
  one.die();
  await one.looks(1);
  expect(one.told.shutOut).toBe(1);
  expect(one.waits()).toBe(false);
  expect(one.fences).toEqual([]);
});

test("closing waits for a fence that is under way, and nothing is looked at afterwards", async () => {
  const one = among(new Map([["peer", 3n]]));
  one.peers.start();
  await one.looks(STILL_LOOKS_MAX + 1);
  const closing = one.peers.close();
  await settled();
  expect(one.closed()).toBe(false);
  one.fences[0]?.end(true);
  await closing;
  expect(one.closed()).toBe(true);
  expect(one.waits()).toBe(false);
});
