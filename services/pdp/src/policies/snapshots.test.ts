import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { PolicyStore, TenantRows } from "./policy-store.ts";
import { requireUsable, type Snapshot } from "./snapshot.ts";
import { createSnapshots } from "./snapshots.ts";

function rows(security: bigint, policy: bigint, rule = "effect: allow"): TenantRows {
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: house }
spec: { rules: [{ id: r, match: { tools: ["*"] }, ${rule} }] }
---
apiVersion: remit/v1
kind: Agent
metadata: { name: agent-${security} }
spec: {}
`;
  const { documents, problems } = parseDocuments([{ file: "rows.yaml", text }]);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return {
    revisions: { security, policy },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: Number(policy), digest: `sha256:${policy}` })),
    tools: [],
    agents: documents.agents.map((document) => ({ document, digest: "sha256:a" })),
    ...{ budgets: [], groups: [], revocations: [] },
  };
}

/** A store whose loads a test answers one by one. */
function slowStore() {
  const waiting: ((answer: TenantRows) => void)[] = [];
  const load = () => new Promise<TenantRows>((resolve) => waiting.push(resolve));
  const store = { load, versions: async () => [], documents: async () => [] } as Partial<PolicyStore> as PolicyStore;
  return { store, waiting };
}

const nothing = { log: silentLog, clock: { now: () => 0 } };

test("many who need a tenant at once share one load", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const both = [snapshots.current("t"), snapshots.current("t")];
  expect(waiting).toHaveLength(1);
  waiting[0]?.(rows(1n, 1n));
  const [one, two] = await Promise.all(both);
  expect(one).toBe(two);
  expect(snapshots.security("t")).toBe(1n);
});

test("a refresh reads the store again, even while an older load is under way", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  const refreshed = snapshots.refresh("t");
  waiting[0]?.(rows(1n, 1n));
  await first;
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(rows(2n, 1n));
  expect((await refreshed).revisions.security).toBe(2n);
});

test("an older answer never takes the place of a newer snapshot", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(rows(5n, 5n));
  const newer = await first;
  const again = snapshots.refresh("t");
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(rows(4n, 5n));
  expect(await again).toBe(newer);
});

test("a poll loads what has moved, and nothing else", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
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
  waiting[1]?.(rows(1n, 2n));
  await polled;
  expect((await snapshots.current("t")).revisions.policy).toBe(2n);
});

test("policies that do not compile leave the last good ones in force, under the new revision and with the new agents", async () => {
  const { store, waiting } = slowStore();
  const snapshots = createSnapshots({ store, ...nothing });
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  const good = await first;
  const refreshed = snapshots.refresh("t");
  await expect.poll(() => waiting.length).toBe(2);
  const bad = rows(2n, 2n);
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
  const good = rows(1n, 1n);
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
  waiting[1]?.(rows(1n, 2n));
  expect(requireUsable(await mended).broken).toBeUndefined();
  expect(snapshots.broken()).toEqual([]);
});

test("a load that fails is tried again by the next who asks", async () => {
  let fails = true;
  const store = {
    load: async () => {
      if (fails) throw new Error("away");
      return rows(1n, 1n);
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
  let at = rows(1n, 1n);
  const load = async (tenant: string) => {
    if (away && tenant === "t") throw new Error("too slow");
    return at;
  };
  const store = { load, versions: async () => [], documents: async () => [] } as Partial<PolicyStore> as PolicyStore;
  const snapshots = createSnapshots({ store, log: silentLog, clock: { now: () => nowMs } });
  await snapshots.current("t");
  await snapshots.current("other");

  away = true;
  at = rows(1n, 2n);
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

/** Rows with a policy of so many rules that compiling them takes many slices, and an agent that may be suspended. */
function bigRows(security: bigint, policy: bigint, suspended = false): TenantRows {
  const base = rows(security, policy);
  const text = JSON.stringify({
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { name: "house" },
    spec: {
      rules: Array.from({ length: 1_200 }, (_, at) => ({
        id: `r${at}`,
        match: { tools: [`t${at}`] },
        effect: "allow",
        when: `input.a > ${at}`,
      })),
    },
  });
  const { documents } = parseDocuments([{ file: "big.json", text }]);
  const agents = base.agents.map(({ document, digest }) => ({
    document: {
      ...document,
      metadata: { name: "clerk" },
      spec: { ...document.spec, status: suspended ? ("suspended" as const) : ("active" as const) },
    },
    digest: `${digest}${suspended}`,
  }));
  return {
    ...base,
    policies: documents.policies.map((document) => ({ document, version: 1, digest: `sha256:big-${policy}` })),
    agents,
  };
}

/** A service whose slices go on only when a test lets them. */
function stepped() {
  const { store, waiting } = slowStore();
  const slices: (() => void)[] = [];
  const swaps: string[] = [];
  const snapshots = createSnapshots({
    store,
    // Whoever waits for a revision waits until it is there.
    after: () => () => undefined,
    ...nothing,
    pause: () => new Promise((resolve) => slices.push(resolve)),
  });
  snapshots.subscribe(({ revisions }) => swaps.push(`${revisions.security}.${revisions.policy}`));
  let taken = 0;
  /** Lets work go on until `done`, slice by slice. */
  const until = async (done: () => boolean) => {
    while (!done()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done()) break;
      const next = slices.shift();
      if (next) taken++;
      next?.();
    }
  };
  return { snapshots, waiting, swaps, until, taken: () => taken };
}

const statusOf = (snapshot: Snapshot | undefined) => snapshot?.agents.get("clerk")?.spec.status;

test("a revocation is in force while the policies that came before it are still being compiled", async () => {
  const { snapshots, waiting, swaps, until, taken } = stepped();
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  await until(() => swaps.length === 1);
  const good = await first;

  const activated = snapshots.polled(new Map([["t", { security: 1n, policy: 2n }]]), 0);
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(1n, 2n));
  await activated;
  expect(swaps).toEqual(["1.1"]);
  expect(snapshots.stalenessMs("t")).toBe(0);

  const revoked = snapshots.secured("t");
  await until(() => waiting.length === 3);
  waiting[2]?.(bigRows(2n, 2n, true));
  let secured: Snapshot | undefined;
  void revoked.then((snapshot) => {
    secured = snapshot;
  });
  await until(() => secured !== undefined);
  expect(swaps).toEqual(["1.1", "2.1"]);
  expect(statusOf(secured)).toBe("suspended");
  expect(secured?.policyDigest).toBe(good.policyDigest);

  await until(() => swaps.length === 3);
  expect(swaps).toEqual(["1.1", "2.1", "2.2"]);
  expect(statusOf(snapshots.held("t"))).toBe("suspended");
  expect(snapshots.held("t")?.policies[0]?.digest).toBe("sha256:big-2");
  expect(taken()).toBeGreaterThan(10);
});

test("whoever names the revision of policies that are still being compiled is not decided for by those before", async () => {
  const { snapshots, waiting, swaps, until } = stepped();
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  await until(() => swaps.length === 1);
  await first;

  void snapshots.polled(new Map([["t", { security: 1n, policy: 2n }]]), 0);
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(1n, 2n));
  void snapshots.secured("t");
  await until(() => waiting.length === 3);
  waiting[2]?.(bigRows(2n, 2n, true));
  await until(() => swaps.length === 2);
  // The counters of what is in force, 2 and 1, sum up to the activation's revision, 1 and 2. Its policies are not there.
  const reached = snapshots.reach("t", 3n);
  await until(() => swaps.length === 3);
  expect(swaps).toEqual(["1.1", "2.1", "2.2"]);
  expect((await reached).policies[0]?.digest).toBe("sha256:big-2");
});

test("policies that came later than the ones being compiled follow them, and never the other way round", async () => {
  const { snapshots, waiting, swaps, until } = stepped();
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  await until(() => swaps.length === 1);
  await first;
  const second = snapshots.secured("t");
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(1n, 2n));
  await second;
  const third = snapshots.refresh("t");
  await until(() => waiting.length === 3);
  waiting[2]?.(bigRows(3n, 3n, true));
  let newest: Snapshot | undefined;
  void third.then((snapshot) => {
    newest = snapshot;
  });
  await until(() => newest !== undefined);
  expect(newest?.revisions).toEqual({ security: 3n, policy: 3n });
  expect(swaps).toEqual(["1.1", "3.1", "3.2", "3.3"]);
});

test("policies that are taken back while they are compiled never come into force", async () => {
  const { snapshots, waiting, swaps, until } = stepped();
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  await until(() => swaps.length === 1);
  await first;
  const big = snapshots.secured("t");
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(1n, 2n));
  await big;
  const back = snapshots.refresh("t");
  await until(() => waiting.length === 3);
  waiting[2]?.({ ...rows(1n, 1n), revisions: { security: 1n, policy: 3n } });
  let done = false;
  void back.then(() => {
    done = true;
  });
  await until(() => done);
  expect(swaps).toEqual(["1.1", "1.3"]);
});

test("what was compiled for a change is not compiled again by the load after it", async () => {
  const { snapshots, waiting, swaps, until } = stepped();
  const first = snapshots.current("t");
  waiting[0]?.(rows(1n, 1n));
  await until(() => swaps.length === 1);
  const now = await first;
  const next = bigRows(1n, 2n);
  let made: Awaited<ReturnType<typeof snapshots.prepare>> | undefined;
  void snapshots.prepare(now, next).then((prepared) => {
    made = prepared;
  });
  await until(() => made !== undefined);
  const after = snapshots.refresh("t");
  await until(() => waiting.length === 2);
  waiting[1]?.(structuredClone(next));
  let loaded: Snapshot | undefined;
  void after.then((snapshot) => {
    loaded = snapshot;
  });
  await until(() => loaded !== undefined);
  if (!made || "problems" in made) throw new Error("not prepared");
  expect(loaded?.compiled.policies).toBe(made.compiled.policies);
  expect(loaded?.revisions.policy).toBe(2n);
});

test("a policy that is out of force is out before newer ones are compiled", async () => {
  const { snapshots, waiting, swaps, until } = stepped();
  const first = snapshots.current("t");
  const both = rows(1n, 1n);
  const [house] = both.policies;
  if (!house) throw new Error("no policy");
  const { document } = house;
  const yard = { ...house, document: { ...document, metadata: { ...document.metadata, name: "yard" } } };
  waiting[0]?.({ ...both, policies: [house, yard] });
  await until(() => swaps.length === 1);
  await first;
  const withdrawn = snapshots.secured("t");
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(2n, 2n));
  let secured: Snapshot | undefined;
  void withdrawn.then((snapshot) => {
    secured = snapshot;
  });
  await until(() => secured !== undefined);
  expect(swaps).toEqual(["1.1", "2.1"]);
  expect(secured?.policies.map(({ document: { metadata } }) => metadata.name)).toEqual(["house"]);
  await until(() => swaps.length === 3);
});
