import type { PolicyDocument } from "@remit/engine";
import { expect, test } from "vitest";
import { silentLog } from "../foundation/log.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import type { PolicyStore, TenantRows } from "./policy-store.ts";
import { createSnapshots } from "./snapshots.ts";

function rows(security: bigint, policy: bigint): TenantRows {
  const document: PolicyDocument = {
    ...{ apiVersion: "remit/v1", kind: "Policy", metadata: { name: "house" } },
    spec: { mode: "enforce", rules: [{ id: "r", match: { tools: ["*"] }, effect: "allow" }] },
  };
  const agent = { apiVersion: "remit/v1", kind: "Agent", metadata: { name: `agent-${security}` }, spec: {} } as const;
  return {
    revisions: { security, policy },
    settings: { status: "active", mode: "enforce", observeAgents: [], quotas: {}, unbudgeted: "allow" },
    policies: [{ document, version: Number(policy), digest: `sha256:${policy}` }],
    agents: [{ document: agent as never, digest: "sha256:a" }],
    ...{ tools: [], budgets: [], groups: [], revocations: [] },
  };
}

test("many new rules are read and compiled beside: what was taken is in force first, no poll reads them again, and a read that fails makes it stale", async () => {
  const before = rows(1n, 1n);
  const after = rows(2n, 2n);
  const [house] = after.policies;
  if (!house) throw new Error("no policy");
  const heads = [{ policy: "house", version: house.version, digest: house.digest }];
  const asked = { loads: [] as (readonly string[] | undefined)[], reads: 0 };
  let answer = (): Promise<typeof house> => new Promise(() => {});
  let away = false;
  const store = {
    load: async (_tenant: string, known?: readonly { readonly digest: string }[]) => {
      asked.loads.push(known?.map(({ digest }) => digest));
      if (asked.loads.length === 1) return before;
      if (away) throw new Error("the store is away");
      return known?.some(({ digest }) => digest === house.digest) ? after : { ...after, policies: [], heads };
    },
    read: () => {
      asked.reads++;
      return answer();
    },
  } as Partial<PolicyStore> as PolicyStore;
  let now = 0;
  const snapshots = createSnapshots({ store, log: silentLog, clock: { now: () => now } });
  await snapshots.current("t");
  const polled = async (atMs: number) => {
    now = atMs;
    await snapshots.polled(new Map([["t", { security: 2n, policy: 2n }]]), atMs);
  };
  let fail = (_why: Error) => {};
  answer = () => new Promise((_resolve, reject) => (fail = reject));
  await polled(1_000);
  // The agents are the new ones, under the policies of before; and it is as fresh as its poll.
  const secured = await snapshots.current("t");
  expect([[...secured.agents.keys()], secured.revisions]).toEqual([["agent-2"], { security: 2n, policy: 1n }]);
  await polled(2_000);
  now = 2_500;
  expect([snapshots.stalenessMs("t"), asked.reads, asked.loads]).toEqual([500, 1, [undefined, ["sha256:1"]]]);
  // From then on the policies are read with all the rest, and fail where everybody sees it.
  away = true;
  fail(new Error("the connection broke"));
  await turnOfTheLoop();
  await polled(3_000);
  await polled(4_000);
  expect([snapshots.stalenessMs("t"), asked.loads.at(-1)]).toEqual([1_000, undefined]);
  away = false;
  answer = async () => house;
  await polled(5_000);
  await expect.poll(() => snapshots.held("t")?.revisions.policy).toBe(2n);
  expect(snapshots.stalenessMs("t")).toBe(0);
});

test("what was compiled stays while its documents do, whatever else of the tenant changes", async () => {
  const { policies } = rows(1n, 1n);
  const store = {
    load: async (_tenant: string, known?: unknown) => ({
      ...rows(known ? 2n : 1n, 1n),
      policies: structuredClone(policies),
    }),
  } as Partial<PolicyStore> as PolicyStore;
  const snapshots = createSnapshots({ store, log: silentLog, clock: { now: () => 0 } });
  const first = await snapshots.current("t");
  const second = await snapshots.refresh("t");
  expect([second.revisions.security, [...second.agents.keys()]]).toEqual([2n, ["agent-2"]]);
  expect(second.compiled).toBe(first.compiled);
});
