import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Fault, invalid } from "../../foundation/fault.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import { takeDeadline } from "./connect-deadline.ts";
import { setOutbox, withAnswer } from "./connect-outbox.ts";
import type { Deadlines } from "./deadlines.ts";
import { decodeBinary, decodeJson, type MessageLimit, tooLarge, tooLargeInJson } from "./decode.ts";
import { decodeInSlices, joinedInSlices, requireOnePart } from "./decode-long.ts";
import type { MessageRoom } from "./stream-rules.ts";
import { carriesValues } from "./weigh.ts";

// The router decodes messages itself and answers what it cannot read in its own words, some of them INTERNAL and none
// with our detail. So it is handed empty messages, and the real ones travel beside them, decoded here.

/** Messages in the order they came, or what is wrong with the one that ended them. */
type Inbox = (Message | Fault)[];
const inboxKey = createContextKey<Inbox>([], { description: "decoded messages" });

/** The next message of the call; throws the `Fault` that stands in its place. */
export function takeMessage(values: ContextValues): Message {
  const next = values.get(inboxKey).shift();
  if (next === undefined) throw invalid("", "the request holds no message");
  if (next instanceof Fault) throw next;
  return next;
}

/** When the caller gives up, milliseconds since 1970. */
export const deadlineKey = createContextKey<number | undefined>(undefined, { description: "the caller's deadline" });

interface Shape {
  readonly json: boolean;
  /** Five bytes of flags and length before each message. */
  readonly enveloped: boolean;
}

const mediaType =
  /^application\/(?:(json|proto)|(?:connect\+|grpc(?:-web)?\+)(json|proto)|grpc(?:-web)?)(?:; *charset=utf-?8)?$/i;

function shapeOf(contentType: string | null): Shape | undefined {
  const [whole, bare, prefixed] = mediaType.exec(contentType ?? "") ?? [];
  if (whole === undefined) return undefined;
  return { json: (bare ?? prefixed)?.toLowerCase() === "json", enveloped: bare === undefined };
}

export interface InboxRules {
  readonly messageBytesMax: number;
  /** The name of that limit, where it is not that of the data plane. */
  readonly messageLimit?: MessageLimit | undefined;
  /** Of a message in JSON, where that is less. */
  readonly jsonBytesMax?: number | undefined;
  readonly valuesMax?: number | undefined;
  /** How long the body of a unary call may take to arrive. */
  readonly bodyMs: number;
  /** Between the slices of a long message, whose texts all stay in use until it is answered. */
  readonly pause: Pause;
  readonly deadlines: Deadlines;
  readonly messages: MessageRoom;
}

const nothing = new Uint8Array(0);
const emptyObject = new TextEncoder().encode("{}");
const headerBytes = 5;
const compressedFlag = 0b1;
const endFlag = 0b10;
// So much of a body that is too large is read and dropped: a peer that is still writing would not see our answer.
const discardFactor = 8;
/** From here on a message is put together and read in slices, if it carries no calls. */
const LONG_BYTES = 256 * 1024;

function reader(
  { json }: Shape,
  schema: DescMessage,
  { valuesMax, jsonBytesMax = Number.POSITIVE_INFINITY, pause }: InboxRules,
): (parts: readonly Uint8Array[]) => Promise<Message | Fault> {
  const decode = json ? decodeJson : decodeBinary;
  const inSlices = !json && !carriesValues(schema);
  return async (parts) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (json && length > jsonBytesMax) return tooLargeInJson(length, jsonBytesMax);
    const [first] = parts;
    try {
      if (length > LONG_BYTES) {
        if (!inSlices) requireOnePart(length);
        const bytes = await joinedInSlices(parts, length, pause);
        return inSlices ? await decodeInSlices(schema, bytes, pause) : decode(schema, bytes, valuesMax);
      }
      return decode(schema, first?.length === length ? first : Buffer.concat(parts), valuesMax);
    } catch (error) {
      if (error instanceof Fault) return error;
      throw error;
    }
  };
}

/** A body that is one message. Iterated by hand: leaving a loop early would close the connection under our answer. */
async function readWhole(chunks: AsyncIterator<Uint8Array>, rules: InboxRules): Promise<readonly Uint8Array[] | Fault> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) break;
    length += value.length;
    if (length <= rules.messageBytesMax) parts.push(value);
    else if (length > discardFactor * rules.messageBytesMax) break;
  }
  const { messageBytesMax, messageLimit } = rules;
  return length > messageBytesMax ? tooLarge("request", undefined, messageBytesMax, messageLimit) : parts;
}

async function inTime<Value>(work: Promise<Value>, ms: number): Promise<Value | Fault> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Fault>((resolve) => {
    // Not made before it is late: its stack costs more than reading most bodies does.
    const tooSlow = () =>
      resolve(new Fault("timeout", "body_too_slow", "the body did not arrive in time", { limit: `${ms} ms` }));
    timer = setTimeout(tooSlow, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function* oneMessage(
  body: AsyncIterable<Uint8Array>,
  shape: Shape,
  schema: DescMessage,
  inbox: Inbox,
  rules: InboxRules,
): AsyncGenerator<Uint8Array> {
  const parts = await inTime(readWhole(body[Symbol.asyncIterator](), rules), rules.bodyMs);
  inbox.push(parts instanceof Fault ? parts : await reader(shape, schema, rules)(parts));
  yield shape.json ? emptyObject : nothing;
}

/** Takes bytes as they come and gives them back in the lengths asked for, in the pieces that they came in. */
function createCutter() {
  const chunks: Uint8Array[] = [];
  let have = 0;
  return {
    add(chunk: Uint8Array) {
      chunks.push(chunk);
      have += chunk.length;
    },
    take(length: number): readonly Uint8Array[] | undefined {
      if (have < length) return undefined;
      have -= length;
      let [at, missing] = [0, length];
      for (; missing > 0; at++) missing -= chunks[at]?.length ?? 0;
      const taken = chunks.splice(0, at);
      const last = taken.at(-1);
      if (!last || missing === 0) return taken;
      // What the last one has too much is the next one's.
      chunks.unshift(last.subarray(missing));
      return [...taken.slice(0, -1), last.subarray(0, missing)];
    },
    empty: () => have === 0,
  };
}

function envelope(flags: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(headerBytes + data.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(data.length, 1);
  bytes.set(data, headerBytes);
  return bytes;
}

async function* manyMessages(
  body: AsyncIterable<Uint8Array>,
  shape: Shape,
  schema: DescMessage,
  inbox: Inbox,
  rules: InboxRules,
): AsyncGenerator<Uint8Array> {
  const read = reader(shape, schema, rules);
  const cutter = createCutter();
  const stand = envelope(0, shape.json ? emptyObject : nothing);
  const chunks = body[Symbol.asyncIterator]();
  let header: Buffer | undefined;
  for (;;) {
    const begun = header ? undefined : cutter.take(headerBytes);
    header ??= begun && Buffer.concat(begun);
    const length = header?.readUInt32BE(1) ?? 0;
    const flags = header?.[0] ?? 0;
    const data = header === undefined || length > rules.messageBytesMax ? undefined : cutter.take(length);
    if (length > rules.messageBytesMax)
      inbox.push(tooLarge("request", length, rules.messageBytesMax, rules.messageLimit));
    else if (flags & compressedFlag)
      inbox.push(new Fault("unimplemented", "compressed", "compression is not served here"));
    else if (data === undefined) {
      const { done, value } = await chunks.next();
      if (!done) {
        cutter.add(value);
        continue;
      }
      if (header === undefined && cutter.empty()) return;
      inbox.push(invalid("", "the stream ended within a message"));
    } else {
      header = undefined;
      if (flags & endFlag) continue;
      if (rules.messages.full) await new Promise<void>((go) => rules.messages.enter(go));
      rules.messages.take(length);
      const message = await read(data);
      inbox.push(message);
      yield stand;
      if (message instanceof Fault) return;
      continue;
    }
    yield stand;
    return;
  }
}

// Answers to requests that reach no protocol. Connect's own have an empty body, which tells a person with curl nothing.
function refuse(status: number, code: string, message: string): UniversalServerResponse {
  const body = new TextEncoder().encode(JSON.stringify({ code, message }));
  async function* once() {
    yield body;
  }
  return { status, header: new Headers({ "content-type": "application/json" }), body: once() };
}

function isBytes(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/** The same handler, its messages decoded by us and put where `takeMessage` finds them, its long answer encoded by us. */
export function decodeFirst(handler: UniversalHandler, rules: InboxRules): UniversalHandler {
  const schema = handler.method.input;
  const serve = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    if (request.method !== "POST") return refuse(405, "unimplemented", "send this request with POST");
    const shape = shapeOf(request.header.get("content-type"));
    if (shape === undefined || !isBytes(request.body)) {
      return refuse(415, "invalid_argument", "send the header `content-type: application/json`");
    }
    const inbox: Inbox = [];
    const contextValues = (request.contextValues ?? createContextValues()).set(inboxKey, inbox);
    const outbox = setOutbox(contextValues, shape);
    const header = new Headers(request.header);
    // It counts the bytes that came, not those that are handed on.
    header.delete("content-length");
    const deadline = takeDeadline(request, header, rules.deadlines);
    contextValues.set(deadlineKey, deadline?.atMs);
    const { signal } = deadline ?? request;
    const messages = shape.enveloped ? manyMessages : oneMessage;
    const body = messages(request.body, shape, schema, inbox, rules);
    return withAnswer(await handler({ ...request, header, contextValues, body, signal }), outbox);
  };
  return Object.assign(serve, handler);
}
