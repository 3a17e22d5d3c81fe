import { create, toBinary, toJson } from "@bufbuild/protobuf";
import { ListAgentsResponseSchema, ListToolsResponseSchema, PublishPoliciesRequestSchema } from "@remit/proto/admin";
import { ExplainResponseSchema } from "@remit/proto/decision";
import { explainInSlices, type Facts } from "../../services/engine/src/index.ts";
import { listedRules } from "../../services/pdp/src/decisions/listed-rules.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { documentRpcs } from "../../services/pdp/src/wire/admin/documents.ts";
import { explainedToWire } from "../../services/pdp/src/wire/convert/explained.ts";
import { decodeJson } from "../../services/pdp/src/wire/lanes/decode.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import { type Case, compiled, many, rule, tool } from "./catalogue.ts";
import { type Pause, prepareWith } from "./turns.ts";

const call = (input: Facts["input"]): Facts => ({
  ...plainFacts,
  ...{ call: { ...plainFacts.call, tool: "pay" }, input },
});

const explaining = (count: number, name: string, text: (at: number) => string): Case => ({
  name: `explain: ${count} rules, ${name}`,
  make: () => {
    const known = compiled(many(count, (at) => rule(at, { when: [text(at)] })));
    return async (pause) => {
      const explained = await explainInSlices(known, call({ a: 1 }), pause);
      await pause();
      const { verdict, ...told } = explained;
      const rest = { ...told, ...listedRules(explained, limits.explainedRulesMax) };
      const { effect, rules } = verdict;
      const would = { effect, rules, reason: { code: "rule_denied" as const, message: "", retryable: false } };
      await pause();
      const answer = {
        ...{ ...rest, verdict: would, mode: "enforced" as const, would: undefined },
        ...{ accounts: [], revision: 1n, policyDigest: "" },
      };
      const wire = await explainedToWire(answer, pause);
      const message = create(ExplainResponseSchema, wire);
      await pause();
      return toBinary(ExplainResponseSchema, message);
    };
  },
});

const agentAt = (at: number) => ({
  ...({ apiVersion: "remit/v1", kind: "Agent", metadata: { name: `agent-${at}`, owner: "o" } } as const),
  spec: { labels: { team: `t${at % 100}` }, ceiling: { tools: ["*"] }, status: "active" as const },
});

const toolsOf = (count: number, labels: number) =>
  many(count, (at) => {
    const plain = tool(undefined, `t${at}`);
    const named = Object.fromEntries(many(labels, (n) => [`l${n}`, `v${at}`]));
    return { ...plain, spec: { ...plain.spec, labels: named } };
  });

interface Registered {
  readonly tools?: ReturnType<typeof toolsOf>;
  readonly agents?: readonly ReturnType<typeof agentAt>[];
}

/** Lets collections of garbage move what was made to where a service has it that was started long ago. */
async function settle(pause: Pause): Promise<void> {
  for (let round = 0; round < 200; round++) {
    many(10_000, (at) => [round, at]);
    await pause();
  }
}

/** A walk through a list of what is registered, as protobuf's bytes or as JSON, page after page. */
const listing = (name: string, of: "listTools" | "listAgents", made: () => Registered, as: "bytes" | "JSON"): Case => ({
  name: `answer: ${name}, in ${as}`,
  make: () => {
    const { tools = [], agents = [] } = made();
    const snapshot = {
      agents: new Map(agents.map((document) => [document.metadata.name, document])),
      tools: new Map(tools.map((document) => [document.metadata.name, { document, digest: "" }])),
    };
    const names = [...snapshot.agents.keys(), ...snapshot.tools.keys()];
    const places = new Map(names.map((one, at) => [one, at]));
    const desk = {
      caller: () => ({ tenant: "t" }),
      snapshots: { current: async () => snapshot },
      policies: {
        names: async (_tenant: string, _kind: string, after: string | undefined, most: number) => {
          const from = after === undefined ? 0 : (places.get(after) ?? 0) + 1;
          return names.slice(from, from + most);
        },
      },
    };
    const rpcs = documentRpcs(desk as never);
    const schema = (of === "listTools" ? ListToolsResponseSchema : ListAgentsResponseSchema) as never;
    return prepareWith(settle, async (pause) => {
      for (let pageToken = ""; ; ) {
        const answer = await rpcs[of]({ pageSize: limits.registeredListedMax, pageToken } as never, {} as never);
        if (as === "JSON") JSON.stringify(toJson(schema, answer as never));
        else toBinary(schema, answer as never);
        if (answer.nextPageToken === "") return;
        pageToken = answer.nextPageToken;
        await pause();
      }
    });
  },
});

const body = (files: number, chars: number) =>
  JSON.stringify({ files: many(files, (at) => ({ file: `f${at}.yaml`, text: "a: b\n".repeat(chars / 5) })) });

const receiving = (name: string, files: number, chars: number): Case => ({
  name: `receive: ${name}`,
  make: () => {
    const bytes = new TextEncoder().encode(body(files, chars));
    return () => decodeJson(PublishPoliciesRequestSchema, bytes);
  },
});

/** Requests that carry no calls, and answers, at the limits of a message. */
export const answers: readonly Case[] = [
  explaining(10_000, "none of which matches", (at) => `input.a == ${at + 9}`),
  explaining(10_000, "all of which match", (at) => `input.a < ${at + 9}`),
  explaining(4_000, "all of which match", (at) => `input.a < ${at + 9}`),
  ...(["bytes", "JSON"] as const).flatMap((as) => [
    listing("pages of 20,000 tools", "listTools", () => ({ tools: toolsOf(20_000, 0) }), as),
    listing("pages of 1,000 tools of 64 labels", "listTools", () => ({ tools: toolsOf(1_000, 64) }), as),
    listing("pages of 100,000 agents", "listAgents", () => ({ agents: many(100_000, agentAt) }), as),
  ]),
  receiving("one document of 500 KB, in JSON", 1, 500_000),
  receiving("20 documents of 25 KB, in JSON", 20, 25_000),
];
