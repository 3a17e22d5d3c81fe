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
import { likeCompiling, type Pause, prepareWith, settle } from "./turns.ts";
import { type Form, forms, written } from "./written.ts";

const call = (input: Facts["input"]): Facts => ({
  ...plainFacts,
  ...{ call: { ...plainFacts.call, tool: "pay" }, input },
});

const explaining = (as: Form, count: number, name: string, text: (at: number) => string): Case => ({
  name: `explain: ${count} rules, ${name}, in ${as}`,
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
      return written(as, ExplainResponseSchema, message, pause);
    };
  },
});

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Files of lines, together as long as a message in JSON may be. */
function filesInJson(files: number, line: string): Uint8Array {
  const each = Math.floor(limits.adminJsonBytesMax / files) - 40;
  const text = line.repeat(Math.floor(each / (encode(line).length - 2)));
  return encode({ files: many(files, (at) => ({ file: `f${at}.yaml`, text })) });
}

const receiving = (name: string, schema: DescMessage, make: () => Uint8Array): Case => ({
  name: `receive: ${name}, in JSON`,
  make: () => {
    const bytes = make();
    if (bytes.length > limits.adminJsonBytesMax) throw new Error(`${name}: ${bytes.length} bytes`);
    return () => {
      try {
        return decodeJson(schema, bytes);
      } catch (error) {
        return error;
      }
    };
  },
});

const namesInJson = (more: object) => () =>
  encode({ names: many(limits.messageRecordsMax - 10, (at) => `agent-${at}`.padEnd(14, "é")), ...more });

/** As long as a request may be: put together of what the socket brought, read, and handed to the thread that reads. */
const taking = (name: string, files: number, text: string): Case => ({
  name: `receive: ${name}, as bytes`,
  make: () => {
    const request = { files: many(files, (at) => ({ file: `f${at}.yaml`, text })) };
    const bytes = toBinary(PublishPoliciesRequestSchema, create(PublishPoliciesRequestSchema, request));
    if (bytes.length > limits.adminMessageBytesMax) throw new Error(`${name}: ${bytes.length} bytes`);
    const chunks = many(Math.ceil(bytes.length / 65_536), (at) => bytes.slice(at * 65_536, (at + 1) * 65_536));
    let readingPause: Pause | undefined;
    const reader = createReader({ pause: async () => readingPause?.() });
    const prepared = prepareWith(
      async (pause) => {
        reader.stay();
        await settle(pause);
      },
      async (pause) => {
        readingPause = pause;
        const whole = await joinedInSlices(chunks, bytes.length, pause);
        const message = (await decodeInSlices(PublishPoliciesRequestSchema, whole, pause)) as PublishPoliciesRequest;
        const sources = message.files.map((one) => ({ file: one.file, text: one.text }));
        return reader.read(sources);
      },
    );
    return likeCompiling(prepared);
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
  ...forms.flatMap((as) => [
    explaining(as, 10_000, "none of which matches", (at) => `input.a == ${at + 9}`),
    explaining(as, 10_000, "all of which match", (at) => `input.a < ${at + 9}`),
    explaining(as, 4_000, "all of which match", (at) => `input.a < ${at + 9}`),
  ]),
  receiving("one document", PublishPoliciesRequestSchema, () => filesInJson(1, "a: b\n")),
  receiving("20 documents", PublishPoliciesRequestSchema, () => filesInJson(20, "a: b\n")),
  receiving("20 documents that are not ASCII", PublishPoliciesRequestSchema, () => filesInJson(20, "ä: €\t\n")),
  receiving("12,000 names", DeleteAgentsRequestSchema, namesInJson({})),
  receiving("12,000 names, and a field that is none", DeleteAgentsRequestSchema, namesInJson({ zzz: 1 })),
  taking("7 files of 2 MB", 7, "#: b\n".repeat(419_000)),
  taking("7 files of 2 MB that are not ASCII", 7, "#: ä\n".repeat(349_000)),
  taking("160 files of 100 KB", 160, "#: b\n".repeat(20_000)),
  taking("11,000 files", 11_000, "#".repeat(1_000)),
  most("11,000 names", DeleteAgentsRequestSchema, () => ({ names: many(11_000, (at) => `agent-${at}`) })),
];
