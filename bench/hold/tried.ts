import type { CompileSource } from "../../services/engine/src/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { buildSnapshot, type Snapshot } from "../../services/pdp/src/policies/snapshot.ts";
import { type Case, many, policy, rule, tool } from "./catalogue.ts";
import { asked, askerUnder, clerk, decidingBy, ID } from "./deciding.ts";
import { prepareWith, settle } from "./turns.ts";

/** Rules that look for three letters in many that begin alike: what takes the longest of what is counted as few steps. */
const dear = (version: number): CompileSource["policies"] =>
  many(limits.rulesMax / 1_000, (of) => {
    const part = (at: number) => `\u6101\u6101${String.fromCharCode(0x6200 + of * 1_000 + at)}`;
    const ruleAt = (at: number) =>
      rule(at, { when: [`input.text.contains("${part(at)}")`], message: `version ${version}` });
    const { document } = policy(many(1_000, ruleAt));
    return { version, document: { ...document, metadata: { name: `p${of}` } } };
  });

/** A call of a tenant that tries other versions of all of its policies, from its facts to its record. */
const trying: Case = {
  name: `rollouts: a call that ${limits.rulesMax} rules are about, and as many that are tried`,
  make: () => {
    let snapshot: Snapshot | undefined;
    const call = asked({ text: "\u6101".repeat(87_000) });
    const decide = decidingBy(() => snapshot);
    return prepareWith(
      async (pause) => {
        const digested = ({ document, version = 1 }: CompileSource["policies"][number]) => ({
          ...{ document, version, digest: `${document.metadata.name} ${version}` },
        });
        const rows = {
          ...{ revisions: { security: 1n, policy: 1n }, settings: { status: "active", quotas: {}, observeAgents: [] } },
          ...{
            tools: [{ document: tool(), digest: "t" }],
            agents: [{ document: clerk, digest: "a" }],
            budgets: [],
            groups: [],
            revocations: [],
          },
          policies: dear(1).map(digested),
          rollout: { id: ID, shareBasisPoints: 0, policies: dear(2).map(digested) },
        };
        snapshot = await buildSnapshot("t", rows as never, undefined, { pause });
        await settle(pause);
      },
      () => decide(async () => askerUnder(), call),
    );
  },
};

/** Versions that are tried beside those in force, at the limits. */
export const tried: readonly Case[] = [trying];
