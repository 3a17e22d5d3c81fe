import { randomFillSync } from "node:crypto";
import { evaluate, type Facts, type JsonObject, type Scope, scopeExcesses } from "../../services/engine/src/index.ts";
import { type CallEvent, createBehaviour, judgeCall } from "../../services/pdp/src/behaviour/index.ts";
import { type CoveredCall, compileCovering, compileCoveringInSlices } from "../../services/pdp/src/budgets/index.ts";
import { writeDecision } from "../../services/pdp/src/decisions/entry.ts";
import { redact } from "../../services/pdp/src/decisions/redact.ts";
import { storedDecision } from "../../services/pdp/src/decisions/replay.ts";
import { canonical } from "../../services/pdp/src/foundation/canonical.ts";
import { digestBytes, digestedBytes } from "../../services/pdp/src/foundation/digest.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { finishInSlices } from "../../services/pdp/src/foundation/steps.ts";
import type { NewRecord } from "../../services/pdp/src/ledger/index.ts";
import { createSealer } from "../../services/pdp/src/ledger/seal.ts";
import { chargedQuery } from "../../services/pdp/src/stores/charged-statement.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import { type Case, compiled, many, rule } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

const NOW = 1_780_000_000_000;
const idAt = (atMs: number, n: number) => {
  const hex = `${atMs.toString(16).padStart(12, "0")}7${(n & 0xfff).toString(16).padStart(3, "0")}8${n.toString(16).padStart(15, "0")}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

/** As many calls as are remembered of one tool: each was asked, and later asked again. */
const remembered = (at: number, said: CallEvent["said"] = "denied") => {
  const half = 2_048;
  return {
    id: idAt(NOW - 500_000 + at * 100, at),
    ...{ session: "s", tool: "pay", input: "same", call: `c${at % half}`, attempt: at < half ? 1 : 2, said },
  };
};

const behaviourOf = () => {
  const trails = many(4_096, (at) => {
    const { id, session, tool: name, input, call, attempt, said } = remembered(at);
    return {
      run: "r",
      id,
      session,
      subject: null,
      trail: JSON.stringify(["c", name, input, call, attempt, said, "policy", 0, 0]),
    };
  });
  return createBehaviour({
    runsMax: 100,
    eventsMax: 100_000,
    store: {
      latest: async () => trails.toReversed(),
      since: async () => ({ cursors: new Map(), records: trails }),
      resets: async () => [],
    } as never,
  });
};

const never = {
  ...{ identical: 10_000, failures: 10_000, denials: 10_000, second: 10_000, minute: 10_000 },
};
const callLimits = { session: never, run: never } as never;

const breakers: readonly Case[] = [
  {
    name: "breakers: reading a run of 4,096 records",
    make: () => {
      const behaviour = behaviourOf();
      return () => behaviour.load("t", "r", NOW);
    },
  },
  {
    name: "breakers: judging a call by 4,096 that were asked twice",
    make: () => {
      const behaviour = behaviourOf();
      const asked = { session: "s", tool: "pay", input: () => "same", call: "other", observed: false };
      return prepareWith(
        () => behaviour.load("t", "r", NOW),
        () => {
          const memory = behaviour.held("r");
          if (!memory) throw new Error("nothing is remembered");
          return judgeCall(memory, callLimits, asked, { nowMs: NOW, resetMs: 0 });
        },
      );
    },
  },
  {
    name: "breakers: 4,096 records of another replica",
    make: () => {
      const behaviour = behaviourOf();
      return prepareWith(
        async () => {
          await behaviour.follow();
          await behaviour.load("t", "r", NOW);
        },
        () => behaviour.follow(),
      );
    },
  },
];

const budget = (at: number, owner: unknown, per: readonly string[] = []) =>
  ({
    ...{ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } },
    spec: { unit: "calls", limit: "10", window: "day", enforcement: "hard", owner, ...(per.length > 0 && { per }) },
  }) as never;
const covered: CoveredCall = {
  ...{ tool: "pay", input: { customer: { id: "x".repeat(400) } }, principal: "mia" },
  session: { id: "s", agent: "clerk" },
  ancestors: many(8, (at) => ({ id: `s${at}`, agent: "clerk" })),
  teamOf: () => "team",
};

const budgets: readonly Case[] = [
  {
    name: "budgets: indexing 10,000, each of tools of its own",
    make: () => {
      const all = many(10_000, (at) => budget(at, { tool: `pay*${at}` }, ["principal", "input.customer.id"]));
      return (pause) =>
        compileCoveringInSlices(
          all,
          many(100, (at) => `input.secret${at}`),
          pause,
        );
    },
  },
  {
    name: "budgets: those of a call that 10,000 of the tenant cover, by keys",
    make: () => {
      const covering = compileCovering(many(10_000, (at) => budget(at, "tenant", ["principal", "input.customer.id"])));
      return () => covering.of(covered, limits.callAccountsMax);
    },
  },
  {
    name: "budgets: those of a call that 64 of sessions cover, in a chain of 9, by keys",
    make: () => {
      const covering = compileCovering(many(64, (at) => budget(at, "session", ["principal", "input.customer.id"])));
      return () => covering.of(covered);
    },
  },
];

const globs = (name: string, count: number) => many(count, (at) => `${name}${at}*`);
const scope = (name: string): Scope => ({
  tools: [...globs(name, 255), "pay"],
  bounds: many(256, (at) => ({ tool: "pay", path: "input.a", max: 1_000 + at })),
});

const comparing = (name: string, bounds: (outer: Scope) => Scope["bounds"]): Case => ({
  name: `scopes: comparing one of 256 tools and 256 bounds with another${name}`,
  make: () => {
    const outer = scope("x");
    const given = bounds(outer);
    const inner: Scope = { tools: globs("x", 256).map((glob) => `${glob}1`), ...(given && { bounds: given }) };
    return () => scopeExcesses(inner, outer);
  },
});

const scopes: readonly Case[] = [
  {
    name: "scopes: a call under nine of 256 tools and 256 bounds",
    make: () => {
      const known = compiled([rule(0, {})]);
      const facts: Facts = {
        ...plainFacts,
        ...{ call: { ...plainFacts.call, tool: "pay" }, input: { a: 1 }, scopes: many(9, () => scope("x")) },
      };
      return () => evaluate(known, facts);
    },
  },
  comparing("", ({ bounds }) => bounds),
  comparing(", in the other order", ({ bounds }) => bounds?.toReversed()),
  comparing(", all too wide", ({ bounds }) => bounds?.map((bound) => ({ ...bound, max: "2000.5" }))),
];

const text = (bytes: number) => JSON.stringify({ a: "x".repeat(bytes) });
const random = (into: Uint8Array) => void randomFillSync(into);
const entry = (at: number, bytes: number, moves: number): NewRecord => {
  const body = Buffer.from(text(bytes));
  return {
    id: idAt(NOW, at),
    ...{ tenant: "t", session: idAt(NOW, 1), sessionDay: "2026-11-21", key: Buffer.alloc(16, at) },
    ...{ request: Buffer.alloc(32), kind: "decision", securityRevision: 1n },
    ...{ digest: digestBytes("entry", text(bytes)), body },
    charge: {
      moves: many(moves, (n) => ({ account: BigInt(n), held: 1n, posted: 0n, overage: 0n })),
      hold: { step: "take", expiresAtMs: NOW, pending: false },
    },
  };
};

const entries: readonly Case[] = [
  {
    name: "entries: one of 256 KB, written, digested and sealed",
    make: () => {
      const sealer = createSealer({ id: idAt(NOW, 2), bytes: Buffer.alloc(32, 7) }, random);
      const input: JsonObject = { a: "ä".repeat(125_000) };
      return () => {
        const written = canonical({ input, transformed: input } as never);
        digestBytes("entry", written);
        return sealer.seal({ tenant: "t", id: idAt(NOW, 3), part: "body" }, Buffer.from(written));
      };
    },
  },
  {
    name: `entries: a statement of ${limits.batchRecordsMax} records of ${limits.batchBytesMax} bytes and ${limits.batchMovesMax} moves`,
    make: () => {
      const each = Math.floor(limits.batchBytesMax / limits.batchRecordsMax) - 300;
      const moves = limits.batchMovesMax / limits.batchRecordsMax;
      const batch = many(limits.batchRecordsMax, (at) => entry(at, each, moves));
      return () => chargedQuery(1n, 1n, batch);
    },
  },
  {
    name: "entries: one whose scopes take 2 MB, read to be answered again",
    make: () => {
      const named = (at: number) => many(100, (n) => `value ${at} ${n}`);
      const scopes = many(40, () => ({ tools: ["pay"], bounds: many(30, (at) => ({ tool: "pay", in: named(at) })) }));
      const said = { agent: { id: "clerk" }, call: { id: "k" }, caller: { id: "c" }, scopes, tool: "pay" };
      const body = Buffer.from(JSON.stringify(said));
      return () => storedDecision({ ...entry(1, 1, 0), epoch: 1n, n: 1n, body } as never);
    },
  },
];

const asker = {
  session: {
    ...{ id: idAt(NOW, 1), tenant: "t", agent: "clerk", ancestors: [], openedAtMs: NOW, security: 1n },
    principal: { id: "mia", verified: true, labels: {} },
  },
  caller: { id: "c", name: "c" },
  security: 1n,
} as never;

/** What a decision writes down once it is judged, with what a tool redacts kept out. */
const drafting = (
  name: string,
  rules: Parameters<typeof compiled>[0],
  input: JsonObject,
  redacted: readonly string[],
): Case => ({
  name: `entries: ${name}`,
  make: () => {
    const known = compiled(rules);
    const facts: Facts = { ...plainFacts, call: { ...plainFacts.call, tool: "pay" }, input };
    const snapshot = { compiled: known, policyDigest: "sha256:", revisions: { security: 1n, policy: 1n }, tenant: "t" };
    const nothing = { value: {}, canonical: "{}" };
    const ask = { callId: "c", tool: "pay", input: { value: input, canonical: canonical(input) }, context: nothing };
    const whole = { ...ask, answers: nothing, estimate: [], supportedConstraints: [], traceId: "" } as never;
    const marks = createSealer({ id: idAt(NOW, 2), bytes: Buffer.alloc(32, 7) }, random);
    const judged = evaluate(known, facts);
    const verdict = { ...judged, unknowns: judged.unknowns.slice(0, limits.unknownsToldMax) };
    return async (pause) => {
      const kept =
        redacted.length > 0 && (await finishInSlices(redact(whole, undefined, verdict, redacted, marks), pause));
      // It is written in a turn of its own.
      if (kept) await pause();
      const name = { kind: "call", id: "c" } as never;
      const known = kept === false ? undefined : kept;
      const judging = { verdict, facts };
      const { text, draft } = writeDecision(idAt(NOW, 3), asker, whole, judging, snapshot as never, NOW, name, known);
      return draft(digestedBytes("entry", text));
    };
  },
});

const large = () => Object.fromEntries(many(4_000, (at) => [`k${at}`, `text ${at}`]));
const unknown = () => many(10_000, (at) => rule(at, { effect: "deny", when: [`input.b < ${at + 9}`] }));

const drafts: readonly Case[] = [
  drafting("a call of 4,000 members", [rule(0, {})], large(), []),
  drafting("a call of 4,000 members, all redacted", [rule(0, {})], large(), ["input"]),
  drafting("a call of 4,000 members, each redacted by itself", [rule(0, {})], large(), ["input.*"]),
  drafting("10,000 denies that are unknown", unknown(), { a: 1 }, []),
  drafting("10,000 denies that are unknown, 4,000 members redacted", unknown(), large(), ["input"]),
  drafting(
    "4,000 allows that match",
    many(4_000, (at) => rule(at, { when: [`input.a < ${at + 9}`] })),
    { a: 1 },
    [],
  ),
];

/** What the service keeps beside the engine, at its limits. */
export const keeping: readonly Case[] = [...breakers, ...budgets, ...scopes, ...entries, ...drafts];
