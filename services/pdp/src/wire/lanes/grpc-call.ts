import { type Message, toBinary } from "@bufbuild/protobuf";
import type { Metadata, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { Vouched } from "../../identities/index.ts";
import { type CauseSink, toGrpcError } from "../errors.ts";
import { type CallScope, openCall } from "./call-scope.ts";
import { decodeBinary, tooLarge } from "./decode.ts";
import type { ServedRpc } from "./served.ts";
import type { OpenStreams, QueueBounds } from "./stream-rules.ts";

/** What every call of a gRPC lane obeys. */
export interface GrpcRules {
  readonly messageBytesMax: number;
  readonly valuesMax?: number | undefined;
  readonly queue: QueueBounds;
  readonly streams: OpenStreams;
  readonly sink: CauseSink;
  readonly vouch?: GrpcVouch | undefined;
}

type Raw = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Finds out what the connection of a call proves; undefined where it proves nothing. */
export type GrpcVouch = (raw: Pick<Raw, "metadata" | "getPeer" | "getAuthContext">) => Vouched | undefined;

function header(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === "string" ? value : undefined;
}

/** What a call's metadata and its connection say. Its signal still has to be wired to the transport's events. */
export function openGrpcCall(raw: Raw, { vouch }: GrpcRules): CallScope & { readonly vouched: Vouched | undefined } {
  const vouched = vouch?.(raw);
  const deadline = Number(raw.getDeadline());
  const scope = openCall({
    authorization: header(raw.metadata, "authorization"),
    certified: vouched?.certified,
    sessionToken: header(raw.metadata, "remit-session"),
    traceparent: header(raw.metadata, "traceparent"),
    deadlineMs: Number.isFinite(deadline) ? deadline : undefined,
    lane: "grpc",
  });
  return { ...scope, vouched };
}

/** Answers one unary call. grpc-js sees bytes alone, so that what cannot be decoded is the caller's error, not ours. */
export async function serveUnary(
  raw: ServerUnaryCall<Buffer, Buffer>,
  { method, run }: ServedRpc & { kind: "unary" },
  rules: GrpcRules,
  respond: sendUnaryData<Buffer>,
): Promise<void> {
  const scope = openGrpcCall(raw, rules);
  raw.on("cancelled", () => scope.cut());
  try {
    const { request } = raw;
    if (request.length > rules.messageBytesMax) throw tooLarge("request", request.length, rules.messageBytesMax);
    const response: Message = await run(decodeBinary(method.input, request, rules.valuesMax), scope.call);
    const bytes = toBinary(method.output, response);
    if (bytes.length > rules.messageBytesMax) throw tooLarge("response", bytes.length, rules.messageBytesMax);
    scope.finish();
    respond(null, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    scope.finish();
    respond(toGrpcError(error, rules.sink));
  }
}
