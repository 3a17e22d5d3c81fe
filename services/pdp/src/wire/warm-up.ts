import { create, toBinary } from "@bufbuild/protobuf";
import {
  GetPoliciesResponseSchema,
  ListDecisionsResponseSchema,
  PublishPoliciesRequestSchema,
} from "@remit/proto/admin";
import { type DecideRequest, DecideRequestSchema } from "@remit/proto/decision";
import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import { digestBytes } from "../foundation/digest.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { askFrom } from "./convert/ask.ts";
import { decodeBinary, decodeJson } from "./lanes/decode.ts";
import { encodeInSlices } from "./lanes/encode-long.ts";
import { encodeJsonInSlices } from "./lanes/encode-long-json.ts";

const ROUNDS = 40;
/** With what stands in them nearly as many values as a message may have: large objects are kept otherwise than small ones. */
const MEMBERS = 380;

/** Inputs of every form, as large as they may be in a message. */
function requests(): { readonly bytes: Uint8Array; readonly json: boolean }[] {
  const members = Array.from({ length: MEMBERS }, (_, at) => [`k${at}`, at % 2 === 0 ? at / 4 : { a: [`${at}`, "é"] }]);
  const input = Object.fromEntries(members);
  const text = new TextEncoder().encode(JSON.stringify(input));
  const named = { callId: "warm", tool: "warm" };
  const encoded = (value: Parameters<typeof create<typeof DecideRequestSchema>>[1]) =>
    toBinary(DecideRequestSchema, create(DecideRequestSchema, value));
  return [
    { json: false, bytes: encoded({ ...named, input: { case: "inputJson", value: text } }) },
    { json: false, bytes: encoded({ ...named, input: { case: "inputObject", value: input } }) },
    { json: true, bytes: new TextEncoder().encode(JSON.stringify({ ...named, input })) },
  ];
}

/** Documents in a request in JSON, with letters of every length. */
function publishing(): Uint8Array {
  const text = 'é: €\t"a"\n'.repeat(120);
  const files = Array.from({ length: 12 }, (_, at) => ({ file: `warm-${at}.yaml`, text }));
  return new TextEncoder().encode(JSON.stringify({ files }));
}

const ANSWER_ROUNDS = 8;

/** Puts long answers together and encodes them: texts, lists of messages, and objects. */
async function answers(pause: Pause): Promise<void> {
  const rules = Array.from({ length: 400 }, (_, at) => ({
    id: `rule-${at}`,
    effect: "deny",
    message: `no: — “${at}” \t é`,
  }));
  for (let round = 0; round < ANSWER_ROUNDS; round++) {
    const document = await canonicalInSlices({ kind: "Policy", spec: { rules } }, pause);
    const policies = [{ version: { policy: "warm", version: 1 }, document, source: document }];
    const whole = create(GetPoliciesResponseSchema, { policies });
    const body = { rules, input: Object.fromEntries(rules.map((rule) => [rule.id, rule])) };
    const decisions = Array.from({ length: 3 }, (_, at) => ({ id: `${at}`, body }));
    const listed = create(ListDecisionsResponseSchema, { decisions });
    for (const encode of [encodeInSlices, encodeJsonInSlices]) {
      await encode(GetPoliciesResponseSchema, whole, pause);
      await encode(ListDecisionsResponseSchema, listed, pause);
    }
  }
}

/** Has the machine compiled what reads requests and writes long answers, before anybody is let in: the first large ones would hold the thread for twice as long. */
export async function warmUpRequests(pause: Pause): Promise<void> {
  const all = requests();
  const documents = publishing();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { json, bytes } of all) {
      const read = json ? decodeJson : decodeBinary;
      const ask = askFrom(read(DecideRequestSchema, bytes, limits.messageValuesMax) as DecideRequest, "", 1);
      digestBytes("input", ask.input.canonical);
    }
    decodeJson(PublishPoliciesRequestSchema, documents);
    await pause();
  }
  await answers(pause);
}
