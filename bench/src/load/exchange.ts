import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DecideRequestSchema, ExchangeRequestSchema, ExchangeResponseSchema } from "@remit/proto/decision";
import { type Connection, openConnection } from "../http2/connection.ts";
import type { Header } from "../http2/header-block.ts";
import { grpcMessage, idWriter, prepare } from "../http2/prepared.ts";
import { type Inspect, inspectEvery, type Target } from "./target.ts";

const exchangePath = "/remit.v1.DecisionService/Exchange";

export interface ExchangeOptions {
  readonly host: string;
  readonly port: number;
  readonly headers: readonly Header[];
  /** Attached before the first call; the calls are asked in their sessions in turn. */
  readonly sessionTokens: readonly string[];
  /** Encoded DecideRequests whose call id is the placeholder; sent in turn. */
  readonly calls: readonly Uint8Array[];
  readonly idPrefix: string;
  /** Looks at an encoded DecideResponse. */
  readonly inspect: Inspect;
}

// Field numbers of ExchangeRequest, DecideFrame and ExchangeResponse in remit/v1/decision.proto.
const field = { frame: 1, decide: 4, frameHandle: 1, frameCall: 2, answerDecided: 4 } as const;

/** Splits the bytes of a gRPC stream into messages. */
export function messageSplitter(message: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 5) {
      const end = at + 5 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      message(bytes.subarray(at + 5, end));
      at = end;
    }
    rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  };
}

/** One bidirectional stream; answers find their calls by the frame's number. */
export async function openExchange(options: ExchangeOptions): Promise<Target> {
  let fail: (reason: Error) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  lost.catch(() => {});
  const connection = await openConnection(options.host, options.port, (reason) => fail(reason));
  const waiting = new Map<number, (answer: Buffer) => void>();
  const split = messageSplitter((bytes) => {
    const number = frameNumber(bytes);
    const waiter = waiting.get(number);
    if (waiter === undefined) return;
    waiting.delete(number);
    waiter(bytes);
  });
  const stream = connection.open(streamHeaders(options), {
    headers: (statusOk) => statusOk || fail(new Error("the server refused the stream")),
    data: split,
    end: () => fail(new Error("the server ended the stream")),
  });
  let nextFrame = 1;

  const handles: number[] = [];
  for (const token of options.sessionTokens) {
    const number = nextFrame++;
    const answer = new Promise<Buffer>((resolve) => {
      waiting.set(number, (bytes) => resolve(Buffer.from(bytes)));
    });
    connection.send(stream, grpcMessage(attachFrame(number, token)), false);
    handles.push(handleOf(await Promise.race([answer, lost])));
  }

  const writeId = idWriter(options.idPrefix);
  const bodies = options.calls.flatMap((call) => handles.map((handle) => prepare(decideBody(handle, call))));
  const problems: Record<string, number> = {};
  let turn = 0;
  return {
    lost,
    problems: () => problems,
    close: () => connection.close(),
    call(done) {
      const body = bodies[turn % bodies.length];
      if (body === undefined) throw new Error("nothing to send");
      turn += 1;
      const look = turn % inspectEvery === 0;
      const number = nextFrame++;
      for (const at of body.idsAt) writeId(body.bytes, at);
      waiting.set(number, (answer) => {
        const ok = bodyField(answer) === field.answerDecided;
        if (!ok) return done(failureOf(answer));
        const problem = look ? options.inspect(decidedOf(answer)) : undefined;
        if (problem !== undefined) problems[problem] = (problems[problem] ?? 0) + 1;
        done();
      });
      sendFrame(connection, stream, number, body.bytes);
    },
  };
}

function streamHeaders(options: ExchangeOptions): Header[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", exchangePath],
    [":authority", `${options.host}:${options.port}`],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...options.headers,
  ];
}

function attachFrame(number: number, token: string): Uint8Array {
  const body = { case: "attach", value: { sessionToken: token } } as const;
  return toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame: BigInt(number), body }));
}

function handleOf(answer: Uint8Array): number {
  const { body } = fromBinary(ExchangeResponseSchema, answer);
  if (body.case === "attached") return body.value.handle;
  throw new Error(`a session was not attached: ${body.case === "error" ? body.value.message : body.case}`);
}

/** Everything of an ExchangeRequest that decides but its frame number, which is written in front of it each time. */
function decideBody(handle: number, call: Uint8Array): Uint8Array {
  // Decoded once, so that a call that is none is found here and not by the server.
  fromBinary(DecideRequestSchema, call);
  const frame = new BinaryWriter()
    .tag(field.frameHandle, WireType.Varint)
    .uint32(handle)
    .tag(field.frameCall, WireType.LengthDelimited)
    .bytes(call)
    .finish();
  return new BinaryWriter().tag(field.decide, WireType.LengthDelimited).bytes(frame).finish();
}

const scratch = Buffer.alloc(512 * 1024);

function sendFrame(connection: Connection, stream: number, number: number, body: Buffer): void {
  let at = 5;
  scratch[at++] = (field.frame << 3) | WireType.Varint;
  let rest = number;
  while (rest >= 128) {
    scratch[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  scratch[at++] = rest;
  body.copy(scratch, at);
  const end = at + body.length;
  scratch[0] = 0;
  scratch.writeUInt32BE(end - 5, 1);
  connection.send(stream, scratch.subarray(0, end), false);
}

/** The answered frame; 0 for a notice. Serialisers write fields in order, so the number stands first if at all. */
function frameNumber(answer: Buffer): number {
  if (answer[0] !== ((field.frame << 3) | WireType.Varint)) return 0;
  return Number(new BinaryReader(answer.subarray(1, 11)).uint64());
}

function afterNumber(answer: Buffer): number {
  let at = 1;
  while (((answer[at] ?? 0) & 128) !== 0) at += 1;
  return at + 1;
}

function bodyField(answer: Buffer): number {
  return (answer[afterNumber(answer)] ?? 0) >> 3;
}

function failureOf(answer: Buffer): string {
  const { body } = fromBinary(ExchangeResponseSchema, answer);
  if (body.case !== "error") return `answered ${body.case ?? "nothing"}`;
  return body.value.detail?.reason ?? `code ${body.value.code}`;
}

function decidedOf(answer: Buffer): Uint8Array {
  const reader = new BinaryReader(answer.subarray(afterNumber(answer)));
  reader.tag();
  return reader.bytes();
}
