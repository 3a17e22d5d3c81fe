import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { isHeavy } from "../../foundation/weight.ts";
import { type MessageLimit, tooLarge } from "./decode.ts";
import { encodeInSlices } from "./encode-long.ts";
import { encodeJsonInSlices } from "./encode-long-json.ts";
import { type Encoded, PIECE_BYTES } from "./pen.ts";

// The router encodes answers in one piece. So for a long one it is handed an empty message, and the real one travels
// beside it, encoded here, and takes its place once the router has written what stands around it.

/** How a call is answered, and the long answer that waits for its place. */
interface Outbox {
  readonly json: boolean;
  readonly enveloped: boolean;
  encoded?: Encoded;
}

const outboxKey = createContextKey<Outbox | undefined>(undefined, { description: "a long answer" });

export function setOutbox(values: ContextValues, shape: Pick<Outbox, "json" | "enveloped">): Outbox {
  const outbox: Outbox = { ...shape };
  values.set(outboxKey, outbox);
  return outbox;
}

/** Long answers in slices; undefined for what the router encodes itself. Throws a `Fault` for one that is too long. */
export async function encodedIfLong(
  values: ContextValues,
  schema: DescMessage,
  answer: Message,
  {
    messageBytesMax,
    messageLimit,
  }: { readonly messageBytesMax: number; readonly messageLimit?: MessageLimit | undefined },
): Promise<Encoded | undefined> {
  const outbox = values.get(outboxKey);
  if (!outbox || !isHeavy(answer)) return undefined;
  const encode = outbox.json ? encodeJsonInSlices : encodeInSlices;
  const encoded = await encode(schema, answer, turnOfTheLoop);
  if (encoded.length > messageBytesMax) throw tooLarge("response", encoded.length, messageBytesMax, messageLimit);
  return encoded;
}

/** Has the call answered by this, in place of the empty message that the router is handed. */
export function putAnswer(values: ContextValues, encoded: Encoded): void {
  const outbox = values.get(outboxKey);
  if (outbox) outbox.encoded = encoded;
}

/** The bytes of an answer, written in slices. */
async function* inTurns({ bytes }: Encoded): AsyncGenerator<Uint8Array> {
  let since = 0;
  for (const some of bytes) {
    yield some;
    since += some.length;
    if (since < PIECE_BYTES) continue;
    since = 0;
    await turnOfTheLoop();
  }
}

const HEADER_BYTES = 5;

/** The first message of a body is the empty one. */
async function* enveloped(encoded: Encoded, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of body) {
    if (!isFirst) {
      yield chunk;
      continue;
    }
    isFirst = false;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(encoded.length, 1);
    yield header;
    yield* inTurns(encoded);
  }
}

/** The response with the long answer in its place. */
export function withAnswer(
  response: UniversalServerResponse,
  { encoded, enveloped: isEnveloped }: Outbox,
): UniversalServerResponse {
  const { body } = response;
  if (!encoded || !body || response.status !== 200) return response;
  if (isEnveloped) return { ...response, body: enveloped(encoded, body) };
  const header = new Headers(response.header);
  header.set("content-length", String(encoded.length));
  return { ...response, header, body: inTurns(encoded) };
}
