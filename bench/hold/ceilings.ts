import { readScopes, type Scope } from "../../services/engine/src/index.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { finishInSlices } from "../../services/pdp/src/foundation/steps.ts";
import { buildSnapshot, type Snapshot } from "../../services/pdp/src/policies/snapshot.ts";
import { type Case, many, policy, rule, tool } from "./catalogue.ts";
import { asked, askerUnder, clerk, decidingBy } from "./deciding.ts";
import { prepareWith, settle } from "./turns.ts";

/** Rows as a store reads them: every time other objects. */
const rowsWith = (ceilings: readonly Scope[], revision: bigint) =>
  ({
    ...{ revisions: { security: 1n, policy: revision }, budgets: [], revocations: [] },
    settings: { status: "active", quotas: { delegationDepth: limits.delegationDepthMax }, observeAgents: [] },
    tools: [{ document: tool(), digest: "t" }],
    agents: [{ document: clerk, digest: "a" }],
    policies: [{ ...policy([rule(0, {})]), version: 1, digest: "p" }],
    groups: structuredClone(ceilings).map((ceiling, at) => ({
      document: { metadata: { name: `g${at}` }, spec: { members: ["mia"], ceiling } },
      digest: `g${at}`,
    })),
  }) as never;

interface Bound {
  /** Of the principal's groups. */
  readonly ceilings?: () => readonly Scope[];
  /** Of the session, and of those that it was delegated by. */
  readonly scopes?: () => readonly Scope[];
  /** What was done before the call that is measured. */
  readonly after?: "nothing" | "a call" | "a call and a change";
}

const calling = (name: string, { ceilings = () => [], scopes = () => [], after = "nothing" }: Bound): Case => ({
  name: `ceilings: ${name}`,
  make: () => {
    let snapshot: Snapshot | undefined;
    const asker = askerUnder(scopes());
    const limiting = ceilings();
    const decide = decidingBy(() => snapshot);
    const call = async () => {
      const { body } = await decide(async () => asker, asked({ a: 1 }));
      if (body.effect !== "allow") throw new Error(`it is not allowed: ${JSON.stringify(body)}`);
    };
    return prepareWith(async (pause) => {
      snapshot = await buildSnapshot("t", rowsWith(limiting, 1n), undefined, { pause });
      if (after !== "nothing") await call();
      if (after === "a call and a change") {
        snapshot = await buildSnapshot("t", rowsWith(limiting, 2n), snapshot, { pause });
      }
      await settle(pause);
    }, call);
  },
});

/** What scopes say of a tool, without the entry that tells all of them. */
const reading = (name: string, scopes: () => readonly Scope[], called: string): Case => ({
  name: `ceilings: reading ${name}`,
  make: () => {
    const binding = scopes();
    return prepareWith(settle, async (pause) => {
      const steps = readScopes(binding, called);
      const read = steps && (await finishInSlices(steps, pause));
      if (!read?.of.size) throw new Error("nothing was read");
    });
  },
});

const tools = (at: number, last = "pay") => [...many(limits.scopeEntriesMax - 1, (n) => `x${at}.${n}*`), last];
const short = () => many(380, (at): Scope => ({ tools: tools(at) }));
/** Each glob agrees with the name up to its end. */
const longName = `p${"a".repeat(254)}b`;
const starred = (at: number) =>
  many(limits.scopeEntriesMax - 1, (n) => `p*${"a*".repeat(7)}${"a".repeat(230)}${at}x${n}`);
const long = () => many(380, (at): Scope => ({ tools: [...starred(at), longName] }));
const bounds = (count: number) => many(count, (at) => ({ tool: "p*", path: "input.a", max: 1_000 + at }));
const chain = (count: number) => () =>
  many(limits.delegationDepthMax + 1, (at): Scope => ({ tools: tools(at), bounds: bounds(count) }));
const names = (at: number) => many(limits.scopeEntriesMax - 1, (n) => `x${at}.${n}.`.padEnd(256, "a"));
const longNames = () => many(380, (at): Scope => ({ tools: [...names(at), "pay"] }));
const literals = (at: number) => many(1_000, (n) => (n === 0 ? 1 : `literal ${at} ${n}`));
const choices = (): readonly Scope[] => [
  { tools: ["pay"], bounds: many(200, (at) => ({ tool: "pay", path: "input.a", in: literals(at) })) },
];

/** What a document has room for. */
const shortChoices = (): readonly Scope[] => {
  const values = (at: number) => many(1_000, (n) => (n === 0 ? 1 : `${at}.${n}`));
  return [{ tools: ["pay"], bounds: many(200, (at) => ({ tool: "pay", path: "input.a", in: values(at) })) }];
};

/** First calls, and later ones, of whom many scopes bind. */
export const ceilings: readonly Case[] = [
  calling("the first call under 380 groups of 256 tools each", { ceilings: short }),
  calling("a later call under 380 groups of 256 tools each", { ceilings: short, after: "a call" }),
  calling("the first call after a change under 380 groups of 256 tools each", {
    ...{ ceilings: short, after: "a call and a change" },
  }),
  reading("380 of 256 globs of 8 stars, which agree with a long name up to their ends", long, longName),
  calling("the first call under 180 groups of 256 bounds each", {
    ceilings: () => many(180, (): Scope => ({ tools: ["*"], bounds: bounds(limits.scopeEntriesMax) })),
  }),
  calling("a later call under 180 groups of 256 bounds each", {
    ceilings: () => many(180, (): Scope => ({ tools: ["*"], bounds: bounds(limits.scopeEntriesMax) })),
    after: "a call",
  }),
  calling("the first call in a chain of 9 scopes of 256 tools and 256 bounds", {
    scopes: chain(limits.scopeEntriesMax),
  }),
  reading("one of 200 bounds of 1,000 values each", choices, "pay"),
  calling("the first call under one of 200 bounds of 1,000 values each", { ceilings: shortChoices }),
  calling("a later call under one of 200 bounds of 1,000 values each", { ceilings: shortChoices, after: "a call" }),
  calling("the first call under 380 groups of 256 names of 256 characters each", { ceilings: longNames }),
  calling("a later call under 380 groups of 256 names of 256 characters each", {
    ceilings: longNames,
    after: "a call",
  }),
];
