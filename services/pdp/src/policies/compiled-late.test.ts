import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { nothing, slowStore, tenantRows } from "../../test/support/tenant-rows.ts";
import type { TenantRows } from "./policy-store.ts";
import type { Snapshot } from "./snapshot.ts";
import { createSnapshots } from "./snapshots.ts";

/** Rows with a policy of so many rules that compiling them takes many slices, and an agent that may be suspended. */
function bigRows(security: bigint, policy: bigint, suspended = false): TenantRows {
  const base = tenantRows(security, policy);
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
  waiting[0]?.(tenantRows(1n, 1n));
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
  waiting[0]?.(tenantRows(1n, 1n));
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
  waiting[0]?.(tenantRows(1n, 1n));
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
  waiting[0]?.(tenantRows(1n, 1n));
  await until(() => swaps.length === 1);
  await first;
  const big = snapshots.secured("t");
  await until(() => waiting.length === 2);
  waiting[1]?.(bigRows(1n, 2n));
  await big;
  const back = snapshots.refresh("t");
  await until(() => waiting.length === 3);
  waiting[2]?.({ ...tenantRows(1n, 1n), revisions: { security: 1n, policy: 3n } });
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
  waiting[0]?.(tenantRows(1n, 1n));
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
  const both = tenantRows(1n, 1n);
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
