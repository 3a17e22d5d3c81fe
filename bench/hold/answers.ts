import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import {
  DeleteAgentsRequestSchema,
  type PublishPoliciesRequest,
  PublishPoliciesRequestSchema,
} from "@remit/proto/admin";
import { ExplainResponseSchema } from "@remit/proto/decision";
import { explainInSlices, type Facts } from "../../services/engine/src/index.ts";
import { listedRules } from "../../services/pdp/src/decisions/listed-rules.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { createReader } from "../../services/pdp/src/reading/index.ts";
import { explainedToWire } from "../../services/pdp/src/wire/convert/explained.ts";
import { decodeBinary, decodeJson } from "../../services/pdp/src/wire/lanes/decode.ts";
import { decodeInSlices, joinedInSlices } from "../../services/pdp/src/wire/lanes/decode-long.ts";
import { facts as plainFacts } from "../growth/src/tenant.ts";
import { type Case, compiled, many, rule } from "./catalogue.ts";
import { prepareWith } from "./turns.ts";

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

const body = (files: number, chars: number) =>
  JSON.stringify({ files: many(files, (at) => ({ file: `f${at}.yaml`, text: "a: b\n".repeat(chars / 5) })) });

const receiving = (name: string, files: number, chars: number): Case => ({
  name: `receive: ${name}`,
  make: () => {
    const bytes = new TextEncoder().encode(body(files, chars));
    return () => decodeJson(PublishPoliciesRequestSchema, bytes);
  },
});

/** As long as a request may be: put together of what the socket brought, read, and handed to the thread that reads. */
const taking = (name: string, files: number, text: string): Case => ({
  name: `receive: ${name}, as bytes`,
  make: () => {
    const request = { files: many(files, (at) => ({ file: `f${at}.yaml`, text })) };
    const bytes = toBinary(PublishPoliciesRequestSchema, create(PublishPoliciesRequestSchema, request));
    if (bytes.length > limits.adminMessageBytesMax) throw new Error(`${name}: ${bytes.length} bytes`);
    const chunks = many(Math.ceil(bytes.length / 65_536), (at) => bytes.slice(at * 65_536, (at + 1) * 65_536));
    const reader = createReader();
    return prepareWith(
      async () => reader.stay(),
      async (pause) => {
        const whole = await joinedInSlices(chunks, bytes.length, pause);
        const message = (await decodeInSlices(PublishPoliciesRequestSchema, whole, pause)) as PublishPoliciesRequest;
        const sources = message.files.map((one) => ({ file: one.file, text: one.text }));
        return reader.read(sources);
      },
    );
  },
});

const most = (name: string, schema: DescMessage, message: () => Record<string, unknown>): Case => ({
  name: `receive: ${name}, as bytes`,
  make: () => {
    const bytes = toBinary(schema, create(schema, message()));
    return () => decodeBinary(schema, bytes);
  },
});

/** Requests that carry no calls, and answers, at the limits of a message. */
export const answers: readonly Case[] = [
  explaining(10_000, "none of which matches", (at) => `input.a == ${at + 9}`),
  explaining(10_000, "all of which match", (at) => `input.a < ${at + 9}`),
  explaining(4_000, "all of which match", (at) => `input.a < ${at + 9}`),
  receiving("one document of 500 KB, in JSON", 1, 500_000),
  receiving("20 documents of 25 KB, in JSON", 20, 25_000),
  taking("7 files of 2 MB", 7, "#: b\n".repeat(419_000)),
  taking("7 files of 2 MB that are not ASCII", 7, "#: ä\n".repeat(349_000)),
  taking("160 files of 100 KB", 160, "#: b\n".repeat(20_000)),
  taking("11,000 files", 11_000, "#".repeat(1_000)),
  most("11,000 names", DeleteAgentsRequestSchema, () => ({ names: many(11_000, (at) => `agent-${at}`) })),
];
