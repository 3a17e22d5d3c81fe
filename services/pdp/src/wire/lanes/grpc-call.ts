import { type Message, toBinary } from "@bufbuild/protobuf";
import type { Metadata, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { CrowdRoom } from "../../foundation/crowd-room.ts";
import type { Fault } from "../../foundation/fault.ts";
import type { Vouched } from "../../identities/index.ts";
import { type CauseSink, toGrpcError } from "../errors.ts";
import { type CallScope, deadlinePassed, openCall } from "./call-scope.ts";
import type { Deadlines } from "./deadlines.ts";
import { decodeBinary, tooLarge } from "./decode.ts";
import type { ServedRpc } from "./served.ts";
import type { MessageRoom, OpenStreams, QueueBounds } from "./stream-rules.ts";

/** What every call of a gRPC lane obeys. */
export interface GrpcRules {
  readonly messageBytesMax: number;
  readonly valuesMax?: number | undefined;
  readonly queue: QueueBounds;
  readonly streams: OpenStreams;
  readonly crowd: Pick<CrowdRoom, "come">;
  readonly messages: MessageRoom;
  readonly deadlines: Deadlines;
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

/**
 * grpc-js ends each call at its deadline in a timer of its own, and thousands in one turn. So its timer, which it hands to
 * nobody, is stopped, and the call is ended by ours.
 */
function stopTimer(raw: Raw): void {
  const { call } = raw as { readonly call?: { readonly deadlineTimer?: NodeJS.Timeout | null } };
  if (call?.deadlineTimer) clearTimeout(call.deadlineTimer);
}

/** What is done of a call by itself. */
interface Endings {
  /** Its deadline has passed, if it goes on until then. */
  late(reason: Fault): void;
  /** It is over on the wire, whoever ended it. */
  gone(): void;
}

/** What a call's metadata and its connection say. Where its peer hangs up it is cut, in its turn of the room for crowds. */
export function openGrpcCall(
  raw: Raw,
  { vouch, deadlines, crowd }: GrpcRules,
  { late, gone }: Endings,
): Omit<CallScope, "over"> & { readonly vouched: Vouched | undefined } {
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
  let forget = () => {};
  const finish = () => {
    forget();
    scope.finish();
  };
  const cut = (reason?: unknown) => {
    forget();
    scope.cut(reason);
  };
  const events: NodeJS.EventEmitter = raw;
  // Comes after every end, the regular one too.
  events.on("cancelled", () => {
    if (scope.over) return gone();
    crowd.come(() => {
      cut();
      gone();
    });
  });
  if (Number.isFinite(deadline)) {
    stopTimer(raw);
    forget = deadlines.watch(deadline, () => {
      const reason = deadlinePassed();
      scope.cut(reason);
      late(reason);
    });
  }
  return { call: scope.call, finish, cut, vouched };
}

/** Answers one unary call. grpc-js sees bytes alone, so that what cannot be decoded is the caller's error, not ours. */
export async function serveUnary(
  raw: ServerUnaryCall<Buffer, Buffer>,
  { method, run }: ServedRpc & { kind: "unary" },
  rules: GrpcRules,
  respond: sendUnaryData<Buffer>,
): Promise<void> {
  const late = (reason: Fault) => respond(toGrpcError(reason, rules.sink));
  const scope = openGrpcCall(raw, rules, { late, gone: () => {} });
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
