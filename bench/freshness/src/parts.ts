import { setTimeout } from "node:timers/promises";
import { tenantOf } from "../../growth/src/tenant.ts";
import type { Started } from "../../scale/src/house.ts";
import { type LatencyUs, latencyRecorder } from "../../src/load/latency.ts";
import { type Clients, clientsOf } from "../../src/remit/clients.ts";
import { seed } from "../../src/remit/seed.ts";
import { type Asked, type Asking, askingOf, keepAsking, TOOL } from "./asking.ts";

const AGENT = "bench";
/** Between two looks at a replica, so that looking is not what it is busy with. */
const LOOK_EVERY_MS = 2;

const flip = (effect: "allow" | "deny") => ({
  apiVersion: "remit/v1",
  kind: "Policy",
  metadata: { name: "flip" },
  spec: { rules: [{ id: effect, match: { tools: [TOOL] }, effect }] },
});

export interface Fleet {
  readonly owner: Clients;
  /** One a replica, as its owner: who may have decisions explained. */
  readonly askings: readonly Asking[];
}

/** Sets up a tool and a policy that allows it, and one session that every replica is asked in. */
export async function settle(replicas: readonly Started[], ownerKey: string): Promise<Fleet> {
  const [first] = replicas;
  if (!first) throw new Error("no replica was started");
  const owner = clientsOf(first, ownerKey);
  const tool = { apiVersion: "remit/v1", kind: "Tool", metadata: { name: TOOL }, spec: { risk: "write" } };
  const agent = {
    apiVersion: "remit/v1",
    kind: "Agent",
    metadata: { name: AGENT },
    spec: { ceiling: { tools: ["*"] } },
  };
  await seed(owner, { tools: [tool], agent, policies: [flip("allow")] });
  const { token } = await owner.session.openSession({ agent: AGENT, purpose: "measuring" });
  return { owner, askings: replicas.map((replica) => askingOf(replica, ownerKey, token)) };
}

export interface Propagation {
  /** From the change's acknowledgement to the first answer of the last replica that obeys it; microseconds. */
  readonly acknowledged: LatencyUs;
  /** From the moment that the change was sent. */
  readonly sent: LatencyUs;
  /** What decisions took meanwhile. */
  readonly decisions: Asked;
}

/** Puts one of two versions in force after the other, and looks when each replica obeys. */
export async function propagate({ owner, askings }: Fleet, trials: number, load: number): Promise<Propagation> {
  const files = [{ file: "flip.json", text: JSON.stringify(flip("deny")) }];
  const { versions } = await owner.policy.publishPolicies({ files });
  const denies = versions[0]?.version ?? 0;
  const [acknowledged, sent] = [latencyRecorder(), latencyRecorder()];
  const stop = keepAsking(askings, load);
  for (let trial = 0; trial < trials; trial++) {
    const allows = trial % 2 === 1;
    const sentAtMs = performance.now();
    let acknowledgedAtMs = Number.POSITIVE_INFINITY;
    const obeyed = askings.map(async (asking) => {
      while ((await asking.allowed()) !== allows) await setTimeout(LOOK_EVERY_MS);
      return performance.now();
    });
    await owner.policy.activatePolicies({ choices: [{ policy: "flip", version: allows ? 1 : denies }] });
    acknowledgedAtMs = performance.now();
    const lastAtMs = Math.max(...(await Promise.all(obeyed)));
    acknowledged.recordMs(Math.max(0, lastAtMs - acknowledgedAtMs));
    sent.recordMs(lastAtMs - sentAtMs);
  }
  return { acknowledged: acknowledged.summary(), sent: sent.summary(), decisions: await stop() };
}

export interface Swapping {
  readonly quiet: Asked;
  readonly swapping: Asked;
  readonly swaps: number;
  readonly rules: number;
}

/** What decisions take while a big set of policies is put in force again and again, and what they take in quiet. */
export async function swap({ owner, askings }: Fleet, rules: number, seconds: number, load: number): Promise<Swapping> {
  const { policies } = tenantOf("other tools", rules);
  const sets: { policy: string; version: number }[][] = [[], []];
  for (const [at, set] of sets.entries()) {
    for (const { document } of policies) {
      const { spec } = document;
      // Every rule of the second set is another one than in the first.
      const changed = spec.rules.map((rule) => ({ ...rule, id: `${rule.id}-${at}`, when: [`input.amount > ${at}`] }));
      const text = JSON.stringify({ ...document, spec: { ...spec, rules: changed } });
      const { versions, problems } = await owner.policy.publishPolicies({ files: [{ file: "set.json", text }] });
      const [version] = versions;
      if (!version) throw new Error(problems[0]?.message ?? "nothing was published");
      set.push({ policy: version.policy, version: version.version });
    }
  }
  await owner.policy.activatePolicies({ choices: sets[0] ?? [] });
  // The first call of a replica waits until everything is compiled there, which is not what is measured: one each.
  await keepAsking(askings, 1)();
  const phase = async (during: (overAtMs: number) => Promise<void>) => {
    const stop = keepAsking(askings, load);
    await during(performance.now() + seconds * 1000);
    return stop();
  };
  const quiet = await phase((overAtMs) => setTimeout(overAtMs - performance.now()));
  let swaps = 0;
  const swapping = await phase(async (overAtMs) => {
    while (performance.now() < overAtMs) {
      swaps++;
      await owner.policy.activatePolicies({ choices: sets[swaps % 2] ?? [] });
    }
  });
  return { quiet, swapping, swaps, rules };
}
