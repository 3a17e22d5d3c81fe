import { expect, test } from "vitest";
import { nothing, slowStore, tenantRows } from "../../test/support/tenant-rows.ts";
import { silentLog } from "../foundation/log.ts";
import type { PolicyStore } from "./policy-store.ts";
import { requireUsable } from "./snapshot.ts";
import { createSnapshots } from "./snapshots.ts";

test("many who need a tenant at once share one load", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const both = [snapshots.current("t"), snapshots.current("t")];
  expect(waiting).toHaveLength(1);
  waiting[0]?.(tenantRows(1n, 1n));
  const [one, two] = await Promise.all(both);
  expect(one).toBe(two);
  expect(snapshots.security("t")).toBe(1n);
});

test("a refresh reads the store again, even while an older load is under way", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  const refreshed = snapshots.refresh("t");
  waiting[0]?.(tenantRows(1n, 1n));
  await first;
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(tenantRows(2n, 1n));
  expect((await refreshed).revisions.security).toBe(2n);
});

test("an older answer never takes the place of a newer snapshot", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(tenantRows(5n, 5n));
  const newer = await first;
  const again = snapshots.refresh("t");
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(tenantRows(4n, 5n));
  expect(await again).toBe(newer);
});

test("a poll loads what has moved, and nothing else", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(tenantRows(1n, 1n));
  await first;
  await snapshots.polled(
    new Map([
      ["t", { security: 1n, policy: 1n }],
      ["unknown", { security: 9n, policy: 9n }],
    ]),
    0,
  );
  expect(waiting).toHaveLength(1);
  const polled = snapshots.polled(new Map([["t", { security: 1n, policy: 2n }]]), 0);
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(tenantRows(1n, 2n));
  await polled;
  expect((await snapshots.current("t")).revisions.policy).toBe(2n);
});

test("policies that do not compile leave the last good ones in force, under the new revision and with the new agents", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(tenantRows(1n, 1n));
  const good = await first;
  const refreshed = snapshots.refresh("t");
  await expect.poll(() => waiting.length).toBe(2);
  const bad = tenantRows(2n, 2n);
  const [policy] = bad.policies;
  if (!policy) throw new Error("no policy");
  const rule = { ...policy.document.spec.rules[0], when: ["inptu.amount > 1"] };
  const document = { ...policy.document, spec: { ...policy.document.spec, rules: [rule] } } as typeof policy.document;
  waiting[1]?.({ ...bad, policies: [{ ...policy, document }] });
  const now = await refreshed;
  expect(now.compiled).toBe(good.compiled);
  expect(now.policyDigest).toBe(good.policyDigest);
  expect(now.revisions.security).toBe(2n);
  expect([...now.agents.keys()]).toEqual(["agent-2"]);
  expect(snapshots.broken()).toEqual([{ tenant: "t", usable: true }]);
});

test("rows that cannot be read at all, after a restart, leave nothing in force, and mending them does", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  const good = tenantRows(1n, 1n);
  const scrap = [
    { document: {} as never, digest: "sha256:x" },
    { document: null as never, digest: "sha256:y" },
  ];
  waiting[0]?.({
    ...good,
    policies: [...good.policies, ...scrap.map((row) => ({ ...row, version: 1 }))],
    tools: scrap,
    agents: [...good.agents, ...scrap],
  });
  const now = await first;
  expect([now.usable, now.broken?.length]).toEqual([false, 1]);
  expect([...now.agents.keys()]).toEqual(["agent-1"]);
  expect(() => requireUsable(now)).toThrow(expect.objectContaining({ kind: "unavailable", reason: "policies_broken" }));
  expect(snapshots.broken()).toEqual([{ tenant: "t", usable: false }]);

  const mended = snapshots.refresh("t");
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(tenantRows(1n, 2n));
  expect(requireUsable(await mended).broken).toBeUndefined();
  expect(snapshots.broken()).toEqual([]);
});

test("a load that fails is tried again by the next who asks", async () => {
  let fails = true;
  const store = {
    load: async () => {
      if (fails) throw new Error("away");
      return tenantRows(1n, 1n);
    },
    versions: async () => [],
    documents: async () => [],
  } as Partial<PolicyStore> as PolicyStore;
  const snapshots = createSnapshots({ store, ...nothing });
  await expect(snapshots.current("t")).rejects.toThrow("away");
  fails = false;
  expect((await snapshots.current("t")).tenant).toBe("t");
});

test("staleness counts from when the newest poll was sent", async () => {
  let nowMs = 1_000;
  const { store } = slowStore();
  const snapshots = createSnapshots({ store, log: silentLog, clock: { now: () => nowMs } });
  nowMs = 1_500;
  await snapshots.polled(new Map(), 1_400);
  await snapshots.polled(new Map(), 1_200);
  nowMs = 2_000;
  expect(snapshots.stalenessMs()).toBe(600);
});

test("a tenant whose change cannot be loaded grows stale, and no other does", async () => {
  let nowMs = 0;
  let away = false;
  let at = tenantRows(1n, 1n);
  const load = async (tenant: string) => {
    if (away && tenant === "t") throw new Error("too slow");
    return at;
  };
  const store = { load, versions: async () => [], documents: async () => [] } as Partial<PolicyStore> as PolicyStore;
  const snapshots = createSnapshots({ store, log: silentLog, clock: { now: () => nowMs } });
  await snapshots.current("t");
  await snapshots.current("other");

  away = true;
  at = tenantRows(1n, 2n);
  const news = new Map([["t", at.revisions]]);
  await snapshots.polled(news, 100);
  nowMs = 3_000;
  await snapshots.polled(news, 3_000);
  expect(snapshots.stalenessMs("t")).toBe(2_900);
  expect(snapshots.stalenessMs()).toBe(2_900);
  expect(snapshots.stalenessMs("other")).toBe(0);

  away = false;
  await snapshots.polled(news, 3_000);
  expect(snapshots.stalenessMs("t")).toBe(0);
  expect(snapshots.stalenessMs()).toBe(0);
});
