import { type GetPoliciesResponse, GetPoliciesResponseSchema } from "@remit/proto/admin";
import type { PolicyDocument } from "../../services/engine/src/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import type { PolicyVersion, StoredPolicy } from "../../services/pdp/src/policies/index.ts";
import { createPolicyStore } from "../../services/pdp/src/stores/policies.ts";
import { policyRpcs } from "../../services/pdp/src/wire/admin/policies.ts";
import { type Case, many, policy, rule } from "./catalogue.ts";
import { stored, type Wire } from "./stored.ts";
import { likeCompiling, type Pause, prepareWith, settle } from "./turns.ts";
import { type Form, forms, written } from "./written.ts";

const by = { id: "019a4f3e-0000-7000-8000-000000000000", name: "ada@example.com" };

const versionOf = (name: string): PolicyVersion => ({
  ...{ policy: name, version: 1, digest: `sha256:${"e".repeat(64)}`, state: "active" },
  ...{ language: "native", rules: 10 },
  ...{ publishedAtMs: 1, publishedBy: by, validated: undefined },
  activations: many(16, (n) => ({ sinceMs: n, untilMs: n + 1, cause: "activated", by, endedBy: by })),
});

/** A policy as the store has it, of so many rules with a message each. */
function storedOf(at: number, rules: number, message: string): StoredPolicy {
  const name = `policy-${String(at).padStart(4, "0")}`;
  const { document: plain } = policy(many(rules, (n) => rule(n, { when: [`input.a < ${n}`], message })));
  const document: PolicyDocument = { ...plain, metadata: { ...plain.metadata, name } };
  return { version: versionOf(name), document, source: JSON.stringify(document, null, 1) };
}

const deskWith = (policies: unknown) =>
  ({
    caller: () => ({ tenant: "t" }),
    snapshots: { current: async () => ({ revisions: { security: 1n, policy: 1n }, policyDigest: "" }) },
    lifecycle: { show: async (_caller: unknown, one: StoredPolicy) => ({ ...one, problems: [] }) },
    policies,
  }) as never;

/** What `GetPolicies` asks, where a store would answer; of each version it knows what it takes. */
function deskOf(all: readonly StoredPolicy[]) {
  const heads = all.map(({ version }) => version);
  const sizes = all.map(({ source }) => 1.5 * Buffer.byteLength(source));
  return deskWith({
    inForcePage: async (_tenant: string, after: string | undefined, most: number, bytesMax: number) => {
      const from = after === undefined ? 0 : heads.findIndex((head) => head.policy === after) + 1;
      let [to, bytes] = [from, 0];
      while (to < all.length && to - from < most && bytes < bytesMax) bytes += sizes[to++] ?? 0;
      return { heads: heads.slice(from, from + most), stored: all.slice(from, to) };
    },
  });
}

async function walk(as: Form, ask: ReturnType<typeof policyRpcs>["getPolicies"], pause: Pause): Promise<void> {
  for (let pageToken = ""; ; ) {
    const request = { choices: [], pageSize: limits.registeredListedMax, pageToken };
    const answer: GetPoliciesResponse = await ask(request as never, {} as never);
    await written(as, GetPoliciesResponseSchema, answer, pause);
    if (answer.nextPageToken === "") return;
    pageToken = answer.nextPageToken;
    await pause();
  }
}

const walking = (as: Form, name: string, make: () => readonly StoredPolicy[]): Case => ({
  name: `answer: ${name}, in ${as}`,
  make: () => {
    const { getPolicies } = policyRpcs(deskOf(make()));
    return prepareWith(settle, (pause) => walk(as, getPolicies, pause));
  },
});

/** A row of the store for a policy, and that it is in force. */
const rowsOf = ({ version, document, source }: StoredPolicy) => [
  `insert into policy_version (tenant, policy, version, digest, document, source, rules)
     values ('t', '${version.policy}', 1, decode(repeat('0e', 32), 'hex'), $d$${JSON.stringify(document)}$d$, $d$${source}$d$, 0)`,
  `insert into active_policy (tenant, policy, version, revision) values ('t', '${version.policy}', 1, 0)`,
];

const askingStore = (as: Form, name: string, make: () => StoredPolicy, wire: Wire = "plain"): Case => ({
  name: `answer: ${name}, of the store${wire === "TLS" ? " over TLS" : ""}, in ${as}`,
  make: () =>
    likeCompiling(
      stored(
        rowsOf(make()),
        createPolicyStore,
        (store, tenant, pause) => {
          const { getPolicies } = policyRpcs(
            deskWith({
              inForcePage: (_: string, ...rest: [string | undefined, number, number]) =>
                store.inForcePage(tenant, ...rest),
            }),
          );
          return walk(as, getPolicies, pause);
        },
        wire,
      ),
    ),
});

/** Policies with their documents, in pages, of a tenant at its limits. */
export const whole: readonly Case[] = forms.flatMap((as) => [
  walking(as, "1,000 policies with their documents, of 1 rule", () => many(1_000, (at) => storedOf(at, 1, "no"))),
  walking(as, "1,000 policies with their documents, of 10 rules", () =>
    many(1_000, (at) => storedOf(at, 10, "no — “ask” first")),
  ),
  walking(as, "40 policies with their documents, of 250 rules", () =>
    many(40, (at) => storedOf(at, 250, "n".repeat(100))),
  ),
  walking(as, "a policy with its document of 2 MB, of 10,000 rules", () => [storedOf(0, 10_000, "n".repeat(30))]),
  askingStore(as, "a policy with its document of 2 MB, of 10,000 rules", () => storedOf(0, 10_000, "n".repeat(30))),
  askingStore(as, "one as long that is not ASCII", () => storedOf(0, 10_000, `${"n".repeat(24)}—€`)),
  askingStore(as, "a policy with its document of 2 MB", () => storedOf(0, 10_000, "n".repeat(30)), "TLS"),
  askingStore(as, "one as long that is not ASCII", () => storedOf(0, 10_000, `${"n".repeat(24)}—€`), "TLS"),
]);
