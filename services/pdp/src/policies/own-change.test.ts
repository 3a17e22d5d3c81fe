import { parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { TenantRows } from "./policy-store.ts";
import { createSnapshots } from "./snapshots.ts";

/** Policies of those names, in that order. */
function rows(security: bigint, policy: bigint, names: readonly string[]): TenantRows {
  const all = [{ id: "r", match: { tools: ["*"] }, effect: "allow" }];
  const files = names.map((name) => {
    const document = { apiVersion: "remit/v1", kind: "Policy", metadata: { name }, spec: { rules: all } };
    return { file: `${name}.json`, text: JSON.stringify(document) };
  });
  const { documents, problems } = parseDocuments(files);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return {
    revisions: { security, policy },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: documents.policies.map((document) => ({ document, version: 1, digest: `sha256:${policy}` })),
    ...{ tools: [], agents: [], budgets: [], groups: [], revocations: [] },
  };
}

/** A replica on a store that holds what a test puts there, and policies that it has compiled for a change of its own. */
async function replica(chosen: TenantRows) {
  const stored = { rows: rows(1n, 1n, ["house"]) };
  const never = () => Promise.reject(new Error("nobody asks for this"));
  const snapshots = createSnapshots({
    store: { load: async () => structuredClone(stored.rows), read: never, revisions: never, fingerprint: never },
    clock: { now: () => 0 },
    log: silentLog,
    pause: async () => undefined,
  });
  const made = await snapshots.prepare(await snapshots.current("t"), chosen);
  if ("problems" in made) throw new Error("it does not compile");
  return { snapshots, stored, made };
}

test("a replica compiles nothing after its own activation, in whatever order the policies were chosen", async () => {
  const { snapshots, stored, made } = await replica(rows(1n, 2n, ["yard", "a.b", "House", "a-b", "house"]));
  // A store answers them in the order of the bytes of their names.
  const names = ["House", "a-b", "a.b", "house", "yard"];
  stored.rows = rows(1n, 2n, names);
  const loaded = await snapshots.secured("t");
  expect(loaded.compiled === made.compiled).toBe(true);
  expect(loaded.revisions.policy).toBe(2n);
  expect(loaded.policies.map(({ document }) => document.metadata.name)).toEqual(names);
});

test("what was compiled for a change is kept through a revocation that comes before the change", async () => {
  const { snapshots, stored, made } = await replica(rows(1n, 2n, ["house"]));
  stored.rows = rows(2n, 1n, ["house"]);
  expect((await snapshots.secured("t")).revisions).toEqual({ security: 2n, policy: 1n });
  stored.rows = rows(2n, 2n, ["house"]);
  const loaded = await snapshots.secured("t");
  expect(loaded.compiled === made.compiled).toBe(true);
  expect(loaded.revisions.policy).toBe(2n);
});

test("what was compiled for a change that somebody else's came before is not put in force", async () => {
  const { snapshots, stored, made } = await replica(rows(1n, 2n, ["house"]));
  stored.rows = rows(1n, 3n, ["house", "yard"]);
  const loaded = await snapshots.refresh("t");
  expect(loaded.compiled === made.compiled).toBe(false);
  expect(loaded.compiled.policies.map(({ document }) => document.metadata.name)).toEqual(["house", "yard"]);
});

test("what others make of a snapshot is made before it decides, and keeps the budgets that stay what they are", async () => {
  const stored = { rows: rows(1n, 1n, ["house"]) };
  const never = () => Promise.reject(new Error("nobody asks for this"));
  const order: string[] = [];
  const snapshots = createSnapshots({
    store: { load: async () => structuredClone(stored.rows), read: never, revisions: never, fingerprint: never },
    clock: { now: () => 0 },
    log: silentLog,
    pause: async () => undefined,
    prepared: async ({ revisions }) => void order.push(`prepared ${revisions.security}`),
  });
  snapshots.subscribe(({ revisions }) => order.push(`in force ${revisions.security}`));
  const before = await snapshots.current("t");
  stored.rows = rows(2n, 1n, ["house"]);
  const after = await snapshots.secured("t");
  expect(after.revisions.security).toBe(2n);
  expect(after.budgets === before.budgets).toBe(true);
  expect(order.filter((one) => one.startsWith("prepared"))).toEqual(["prepared 1", "prepared 2"]);
  expect(order.indexOf("prepared 2")).toBeLessThan(order.lastIndexOf("in force 2"));
});
