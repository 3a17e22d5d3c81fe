import {
  create,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { type CrowdRoom, createCrowdRoom } from "../../foundation/crowd-room.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import type { Log } from "../../foundation/log.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import type { Vouched } from "../../identities/index.ts";
import { type CauseSink, logCauses, toConnectError } from "../errors.ts";
import { type CallScope, deadlinePassed, openCall } from "./call-scope.ts";
import { deadlineKey, decodeFirst, type InboxRules, takeMessage } from "./connect-inbox.ts";
import { encodedIfLong, putAnswer } from "./connect-outbox.ts";
import { type StreamRules, serveStream } from "./connect-stream.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Served, ServedRpc } from "./served.ts";
import { createMessageRoom, createOpenStreams, type QueueBounds, queueBounds, streamGraceMs } from "./stream-rules.ts";

export interface ConnectLaneOptions {
  readonly services: readonly Served[];
  readonly log: Log;
  /** Of one message, either way. */
  readonly messageBytesMax: number;
  /** The name of that limit, where it is not that of the data plane. */
  readonly messageLimit?: InboxRules["messageLimit"];
  /** Of one request in JSON, where that is less. */
  readonly jsonBytesMax?: number;
  /** Of one request that carries calls. */
  readonly valuesMax?: number;
  readonly queue?: QueueBounds;
  /** How long the body of a unary request may take to arrive. */
  readonly bodyMs?: number;
  /** Between slices of reading a long request; undefined: a turn of the event loop. */
  readonly pause?: Pause | undefined;
  /** Where very many callers are told something in their turns. */
  readonly crowd?: CrowdRoom;
}

export interface ConnectLane {
  /** For `connectNodeAdapter({ routes })`, which needs no other option. */
  readonly routes: (router: ConnectRouter) => void;
  /** Lets streams end by themselves for half of the grace, then cuts those left. Connections are the listener's. */
  drain(graceMs: number): Promise<void>;
}

const bodyMsDefault = 30_000;

/** Where whoever accepted a connection puts what it proves. */
export const vouchedKey = createContextKey<Vouched | undefined>(undefined, { description: "what a connection proves" });

function openConnectCall(context: HandlerContext): CallScope {
  const { requestHeader, values } = context;
  return openCall({
    authorization: requestHeader.get("authorization") ?? undefined,
    certified: values.get(vouchedKey)?.certified,
    sessionToken: requestHeader.get("remit-session") ?? undefined,
    traceparent: requestHeader.get("traceparent") ?? undefined,
    deadlineMs: values.get(deadlineKey),
    lane: "connect",
  });
}

/** Rejects once the call is cut: unlike the gRPC lane's transport, the router waits for us at its deadline. */
function whenCut(scope: CallScope): Promise<never> {
  const { signal } = scope.call;
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function serveUnary(
  context: HandlerContext,
  { run, method }: ServedRpc & { kind: "unary" },
  rules: UnaryRules,
): Promise<Message> {
  const { values } = context;
  const { sink } = rules;
  const scope = openConnectCall(context);
  context.signal.addEventListener("abort", () => scope.cut(), { once: true });
  const answered = async () => {
    const answer = await run(takeMessage(values), scope.call);
    return { answer, encoded: await encodedIfLong(values, method.output, answer, rules) };
  };
  try {
    if (context.signal.aborted) throw deadlinePassed();
    const { answer, encoded } = await Promise.race([answered(), whenCut(scope)]);
    if (!encoded) return answer;
    putAnswer(values, encoded);
    return create(method.output);
  } catch (error) {
    throw toConnectError(error, sink);
  } finally {
    scope.finish();
  }
}

/** What unary calls obey. */
interface UnaryRules extends Pick<InboxRules, "messageBytesMax" | "messageLimit"> {
  readonly sink: CauseSink;
}

async function* once<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}

function addRpc(router: ConnectRouter, rpc: ServedRpc, rules: StreamRules & UnaryRules): void {
  const { method } = rpc;
  const rulesFor = ({ values }: HandlerContext) => ({ ...rules, whenLeaving: values.get(vouchedKey)?.whenLeaving });
  if (rpc.kind === "unary") {
    router.rpc(method as DescMethodUnary, (_, context) => serveUnary(context, rpc, rules));
  } else if (method.methodKind === "bidi_streaming") {
    router.rpc(method as DescMethodBiDiStreaming, (requests, context) =>
      serveStream(requests, context, openConnectCall(context), rpc, rulesFor(context)),
    );
  } else {
    router.rpc(method as DescMethodServerStreaming, (request, context) =>
      serveStream(once(request), context, openConnectCall(context), rpc, rulesFor(context)),
    );
  }
}

/** Serves the given services over Connect, gRPC, gRPC-Web and plain JSON. */
export function createConnectLane(options: ConnectLaneOptions): ConnectLane {
  const { services, log, messageBytesMax, messageLimit, jsonBytesMax, valuesMax, queue } = options;
  const { bodyMs = bodyMsDefault, pause = turnOfTheLoop, crowd = createCrowdRoom() } = options;
  const streams = createOpenStreams(crowd);
  const rules = { queue: queue ?? queueBounds, streams, sink: logCauses(log), messageBytesMax, messageLimit };
  const deadlines = createDeadlines(crowd);
  const messages = createMessageRoom();
  const bounds = { messageBytesMax, messageLimit, jsonBytesMax, valuesMax, bodyMs };
  const inboxRules: InboxRules = { ...bounds, deadlines, messages, pause };
  return {
    routes(router) {
      // Read limits are the inbox's; compressed requests are refused and answers are small or nearby.
      const inner = createConnectRouter({
        readMaxBytes: messageBytesMax,
        writeMaxBytes: messageBytesMax,
        acceptCompression: [],
        jsonOptions: { ignoreUnknownFields: false },
      });
      for (const served of services) for (const rpc of served.rpcs) addRpc(inner, rpc, rules);
      for (const handler of inner.handlers) router.handlers.push(decodeFirst(handler, inboxRules));
    },
    drain: (graceMs) => streams.drain(streamGraceMs(graceMs)),
  };
}
