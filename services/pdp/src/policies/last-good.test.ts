import { barredTool, parseDocuments } from "@remit/engine";
import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import type { PolicyStore, TenantRows } from "./policy-store.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { createSnapshots } from "./snapshots.ts";

const building = { pause: async () => undefined };

/** A policy of some rules, each of which allows `pay`. */
function policy(name: string, version: number, rules = 1, when = "input.amount > 1") {
  const text = JSON.stringify({
    apiVersion: "remit/v1",
    kind: "Policy",
    metadata: { name },
    spec: {
      rules: Array.from({ length: rules }, (_, at) => ({
        id: `r${at}`,
        match: { tools: ["pay"] },
        effect: "allow",
        when,
      })),
    },
  });
  const [document] = parseDocuments([{ file: "policy.json", text }]).documents.policies;
  if (!document) throw new Error("no policy");
  return { document, version, digest: `sha256:${name}${version}` };
}

function tool(name: string, status: "active" | "suspended" = "active", property = "amount") {
  const text = JSON.stringify({
    apiVersion: "remit/v1",
    kind: "Tool",
    metadata: { name },
    spec: {
      ...{ risk: "write", status },
      inputSchema: { type: "object", additionalProperties: false, properties: { [property]: { type: "number" } } },
    },
  });
  const [document] = parseDocuments([{ file: "tool.json", text }]).documents.tools;
  if (!document) throw new Error("no tool");
  return { document, digest: `sha256:${name}${status}${property}` };
}

function rowsOf(
  revisions: TenantRows["revisions"],
  policies: TenantRows["policies"],
  rest: Partial<Pick<TenantRows, "tools" | "rollout">> = {},
): TenantRows {
  return {
    ...{ revisions, policies, tools: [tool("pay")], agents: [], budgets: [], groups: [], revocations: [] },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    ...rest,
  };
}

const namesIn = (snapshot: Snapshot | undefined) =>
  snapshot?.compiled.policies.map(({ document: { metadata } }) => metadata.name);

/** The newest version of a policy names what no tool has: it was checked by an older engine, or changed by hand. */
const misfit = policy("house", 2, 1, "input.amuont > 1");

test("a policy that is out of force decides nothing, though the newest of another does not compile", async () => {
  const first = rowsOf({ security: 1n, policy: 1n }, [policy("house", 1), policy("yard", 1)]);
  const good = await buildSnapshot("t", first, undefined, building);
  const broken = await buildSnapshot(
    "t",
    rowsOf({ security: 1n, policy: 2n }, [misfit, policy("yard", 1)]),
    good,
    building,
  );
  expect(broken.broken).toHaveLength(1);
  expect(broken.compiled).toBe(good.compiled);
  const withdrawn = await buildSnapshot("t", rowsOf({ security: 2n, policy: 2n }, [misfit]), broken, building);
  expect([withdrawn.usable, withdrawn.broken?.length]).toEqual([true, 1]);
  expect(namesIn(withdrawn)).toEqual(["house"]);
  expect(withdrawn.policies.map(({ version }) => version)).toEqual([1]);
  expect(withdrawn.policyDigest).not.toBe(good.policyDigest);
});

test("a tool that is suspended or gone does not run, though the newest policies do not compile", async () => {
  const tools = [tool("pay"), tool("refund"), tool("look")];
  const good = await buildSnapshot(
    "t",
    rowsOf({ security: 1n, policy: 1n }, [policy("house", 1)], { tools }),
    undefined,
    building,
  );
  const now = rowsOf({ security: 2n, policy: 2n }, [misfit], { tools: [tool("pay", "suspended"), tool("look")] });
  const broken = await buildSnapshot("t", now, good, building);
  expect([broken.usable, broken.broken?.length]).toEqual([true, 1]);
  const bars = ["pay", "refund", "look"].map((name) => barredTool(broken.compiled, { tool: name })?.code);
  expect(bars).toEqual(["tool_suspended", "tool_suspended", undefined]);
  const mended = rowsOf({ security: 2n, policy: 3n }, [policy("house", 1)], { tools: [tool("pay"), tool("look")] });
  const { compiled } = await buildSnapshot("t", mended, broken, building);
  expect([barredTool(compiled, { tool: "pay" }), [...compiled.tools.keys()].sort()]).toEqual([
    undefined,
    ["look", "pay"],
  ]);
});

test("sessions of a canary whose versions fit no more are decided by no policy that is out of force", async () => {
  const rollout = { id: "r-1", shareBasisPoints: 10_000, policies: [policy("house", 2)] };
  const first = rowsOf(
    { security: 1n, policy: 1n },
    [policy("house", 1, 1, '"true" == "true"'), policy("yard", 1, 1, '"true" == "true"')],
    { rollout },
  );
  const good = await buildSnapshot("t", first, undefined, building);
  expect(namesIn(good.rollout?.candidate)).toEqual(["house", "yard"]);
  const [house] = first.policies;
  if (!house) throw new Error("no policy");
  const moved = rowsOf({ security: 2n, policy: 1n }, [house], { rollout, tools: [tool("pay", "active", "sum")] });
  const next = await buildSnapshot("t", moved, good, building);
  expect(next.rollout?.broken).toHaveLength(1);
  expect(namesIn(next.rollout?.candidate)).toEqual(["house"]);
});

test("a tried version of a policy that is out of force decides nothing while newer policies are compiled", async () => {
  const rollout = { id: "r-1", shareBasisPoints: 10_000, policies: [policy("yard", 2), policy("house", 2)] };
  const both = [policy("house", 1), policy("yard", 1)];
  let rows = rowsOf({ security: 1n, policy: 1n }, both, { rollout });
  let go: () => void = () => undefined;
  let gate: Promise<void> | undefined;
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const store = { load: async () => rows, revisions: async () => rows.revisions } satisfies Partial<PolicyStore>;
  const pause = () => {
    if (gate) reach();
    return gate ?? Promise.resolve();
  };
  const fingerprint = () => Promise.reject(new Error("nobody compares here"));
  const snapshots = createSnapshots({
    store: { ...store, read: fingerprint, fingerprint },
    log: silentLog,
    clock: { now: () => 0 },
    pause,
  });
  const first = await snapshots.current("t");
  expect(namesIn(first.rollout?.candidate)).toEqual(["house", "yard"]);

  // Many rules come into force, which takes a while, and meanwhile one of the tried policies is taken out of force.
  gate = new Promise((resolve) => {
    go = resolve;
  });
  const big = policy("attic", 1, 1_200);
  rows = rowsOf({ security: 1n, policy: 2n }, [...both, big], { rollout });
  await snapshots.secured("t");
  // What is compiled from here on waits for nobody, but for those rules.
  await reached;
  gate = undefined;
  const [house] = both;
  if (!house) throw new Error("no policy");
  rows = rowsOf({ security: 2n, policy: 2n }, [house, big]);
  const secured = await snapshots.secured("t");
  expect(namesIn(secured)).toEqual(["house"]);
  expect(namesIn(secured.rollout?.candidate)).toEqual(["house"]);
  expect(secured.rollout?.candidate?.policies.map(({ version }) => version)).toEqual([2]);
  go();
  const settled = await snapshots.refresh("t");
  expect([namesIn(settled)?.sort(), settled.rollout]).toEqual([["attic", "house"], undefined]);
});
