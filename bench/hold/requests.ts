import { create, type MessageInitShape, toBinary, type JsonObject as WireObject } from "@bufbuild/protobuf";
import { type DecideRequest, DecideRequestSchema } from "@remit/proto/decision";
import { compile, explainInSlices, type Facts, type JsonObject } from "../../services/engine/src/index.ts";
import { canonical } from "../../services/pdp/src/foundation/canonical.ts";
import { digestBytes, digestText } from "../../services/pdp/src/foundation/digest.ts";
import { parseJsonInSlices } from "../../services/pdp/src/foundation/json-in-slices.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { lintBeside } from "../../services/pdp/src/policies/lint.ts";
import { buildSnapshot, type Snapshot } from "../../services/pdp/src/policies/snapshot.ts";
import { askFrom } from "../../services/pdp/src/wire/convert/ask.ts";
import { decodeBinary, decodeJson } from "../../services/pdp/src/wire/lanes/decode.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import type { Case } from "./catalogue.ts";
import { many, policy, rule, tool } from "./catalogue.ts";
import { compilingWork, likeCompiling, type Pause, prepareWith, settle } from "./turns.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Inputs of as many values as are permitted, each of another kind. */
const largeInputs: Readonly<Record<string, (values: number) => object>> = {
  "one text of 240 KB": () => ({ a: "ä".repeat(120_000) }),
  members: (values) => Object.fromEntries(many(values, (at) => [`k${at}`, at])),
  "members of other letters": (values) => Object.fromEntries(many(values, (at) => [`é${(at * 7919) % 9973}`, "ä"])),
  numbers: (values) => ({ a: many(values, (at) => Number((at / 7).toFixed(1))) }),
  "lists in lists": (values) => ({ a: many(Math.floor(values / 15), () => [[[[[[[[[[[[[[1]]]]]]]]]]]]]]) }),
  "objects in a list": (values) => ({ a: many(Math.floor(values / 2), (at) => ({ a: at })) }),
};

// The message's own fields count too.
const OWN = 4;
const asking = (name: string, input: (values: number) => object): Case[] => {
  const ask = (request: Parameters<typeof askFrom>[0]) => digestBytes("input", askFrom(request, "", 1).input.canonical);
  const most = limits.messageValuesMax - OWN;
  const binary = (form: MessageInitShape<typeof DecideRequestSchema>["input"]) => () => {
    const call = { callId: "c", tool: "pay", ...(form && { input: form }) };
    const bytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, call));
    return () => ask(decodeBinary(DecideRequestSchema, bytes, limits.messageValuesMax) as DecideRequest);
  };
  return [
    {
      name: `decode and check: ${name}, as bytes`,
      make: () => binary({ case: "inputJson", value: encode(input(limits.callValuesMax - 1)) })(),
    },
    {
      name: `decode and check: ${name}, as a Struct`,
      make: () => binary({ case: "inputObject", value: input(most) as WireObject })(),
    },
    {
      name: `decode and check: ${name}, in JSON`,
      make: () => {
        const bytes = encode({ callId: "c", tool: "pay", input: input(most) });
        return () => ask(decodeJson(DecideRequestSchema, bytes, limits.messageValuesMax) as DecideRequest);
      },
    },
  ];
};

const digestOf = (document: object) => digestText(digestBytes("tool", canonical(document)));
const registered = <Document extends object>(document: Document) => ({ document, digest: digestOf(document) });
const none = { settings: { status: "active", quotas: {} } as never, policies: [], budgets: [], revocations: [] };

type Rows = Parameters<typeof buildSnapshot>[1];
const wholeOf = (rows: Partial<Rows>) => {
  const revisions = { security: 1n, policy: 1n };
  return { ...none, revisions, tools: [], agents: [], groups: [], ...rows } as Rows;
};

const loading = (name: string, rows: () => Partial<Rows>): Case => ({
  name: `load: ${name}`,
  make: () => {
    const whole = wholeOf(rows());
    return compilingWork((pause) => buildSnapshot("t", whole, undefined, { pause }));
  },
});

/** Linting, as publishing does it, beside what is registered. */
const linting = (name: string, rules: number, rows: () => Partial<Rows>): Case => ({
  name: `lint: ${name}`,
  make: () => {
    const whole = wholeOf(rows());
    const { document } = policy(many(rules, (at) => rule(at, { when: [`input.a == ${at}`] })));
    let snapshot: Snapshot;
    const prepare = async (pause: Pause) => {
      snapshot = await buildSnapshot("t", whole, undefined, { pause });
      await settle(pause);
    };
    return likeCompiling(prepareWith(prepare, (pause) => lintBeside(snapshot, [document], pause)));
  },
});

const agentAt = (at: number) => ({
  document: {
    ...({ apiVersion: "remit/v1", kind: "Agent", metadata: { name: `agent-${at}`, owner: "o" } } as const),
    spec: { labels: { team: `t${at % 100}` }, status: "active" as const },
  } as never,
  digest: "",
});

const budgetAt = (at: number) => ({
  document: {
    ...({ apiVersion: "remit/v1", kind: "Budget", metadata: { name: `b${at}` } } as const),
    spec: { unit: "calls", limit: "10", window: "day", enforcement: "hard", owner: { tool: `pay*${at}` } },
  } as never,
  series: "",
  digest: "",
});
const revocationAt = (at: number) => ({ kind: "agent" as const, subject: `a${at}`, labels: {} });

const stored = (rules: number) => JSON.stringify(policy(many(rules, (at) => rule(at, { when: [`input.a == ${at}`] }))));

/** What the service does around the engine. */
export const requests: readonly Case[] = [
  ...Object.entries(largeInputs).flatMap(([name, input]) => asking(name, input)),
  {
    name: "take over a document of 1 MiB",
    make: () => {
      const text = stored(10_000);
      return (pause) => parseJsonInSlices(text, pause);
    },
  },
  linting("10,000 rules", 10_000, () => ({ tools: [registered(tool())] })),
  linting("a rule beside 20,000 tools and 100,000 agents", 1, () => ({
    tools: many(20_000, (at) => registered(tool(undefined, `tool-${at}`))),
    agents: many(100_000, agentAt),
  })),
  loading("20,000 tools", () => ({ tools: many(20_000, (at) => registered(tool(undefined, `tool-${at}`))) })),
  loading("100,000 agents", () => ({
    agents: many(100_000, (at) => ({
      document: {
        ...({ apiVersion: "remit/v1", kind: "Agent", metadata: { name: `agent-${at}`, owner: "o" } } as const),
        spec: { labels: {}, status: "active" as const },
      } as never,
      digest: "",
    })),
  })),
  loading("1,000 groups of 1,000 members with a ceiling", () => ({
    groups: many(1_000, (at) => ({
      document: {
        ...({ apiVersion: "remit/v1", kind: "Group", metadata: { name: `g${at}` } } as const),
        spec: { members: many(1_000, (n) => `m${(at * 7 + n) % 50_000}`), ceiling: { tools: ["*"] } },
      } as never,
      digest: "",
    })),
  })),
  ...[100, 1_000].map((count) =>
    loading(`${count.toLocaleString("en")} groups of 1,000 members of their own with a ceiling`, () => ({
      groups: many(count, (at) => ({
        document: {
          ...({ apiVersion: "remit/v1", kind: "Group", metadata: { name: `g${at}` } } as const),
          spec: { members: many(1_000, (n) => `m${at * 1_000 + n}`), ceiling: { tools: ["*"] } },
        } as never,
        digest: "",
      })),
    })),
  ),
  loading("20,000 revocations", () => ({ revocations: many(20_000, revocationAt) })),
  loading("20,000 tools, 100,000 agents, 10,000 budgets and 20,000 revocations together", () => ({
    tools: many(20_000, (at) => registered(tool(undefined, `tool-${at}`))),
    agents: many(100_000, agentAt),
    budgets: many(10_000, budgetAt),
    revocations: many(20_000, revocationAt),
  })),
  {
    name: "explain one rule of 60 conditions",
    make: () => {
      const long = (at: number) => many(150, (n) => `input.a > ${at + n}`).join(" || ");
      const source = { tools: [tool()], policies: [policy([rule(0, { when: many(60, long) })])] };
      const { compiled, problems } = compile(source);
      if (!compiled) throw new Error(problems[0]?.message);
      const facts: Facts = {
        ...plainFacts,
        call: { ...plainFacts.call, tool: "pay" },
        input: { a: 10_000 } as JsonObject,
      };
      return (pause) => explainInSlices(compiled, facts, pause);
    },
  },
];
