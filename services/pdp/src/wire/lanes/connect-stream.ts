import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { Fault } from "../../foundation/fault.ts";
import type { Incoming, Outgoing } from "../call.ts";
import { type CauseSink, toConnectError } from "../errors.ts";
import type { CallScope } from "./call-scope.ts";
import { takeMessage } from "./connect-inbox.ts";
import type { ServedRpc } from "./served.ts";
import { type OpenStream, type OpenStreams, type QueueBounds, readTooSlowly } from "./stream-rules.ts";

/** What every stream of a Connect lane obeys. */
export interface StreamRules {
  readonly queue: QueueBounds;
  readonly streams: OpenStreams;
  readonly sink: CauseSink;
  /** Calls back when this stream's connection should be left. */
  readonly whenLeaving?: ((leave: () => void) => () => void) | undefined;
}

// So many may wait before the peer counts as slow; their size is not even looked at.
const highWaterMessages = 16;

/** Messages that wait for the router to fetch them. Bounded: past the bound they are dropped and the end is an error. */
function createOutbox(schema: DescMessage, bounds: QueueBounds, overflow: () => void) {
  let waiting: { readonly message: Message; readonly bytes: number }[] = [];
  let waitingBytes = 0;
  let wake: (() => void) | undefined;
  let roomy: (() => void) | undefined;
  let over: { readonly error: unknown } | undefined;

  const rouse = () => {
    wake?.();
    wake = undefined;
  };
  const makeRoom = () => {
    roomy?.();
    roomy = undefined;
  };
  return {
    ended: () => over !== undefined,
    put(message: Message): boolean {
      const slow = waiting.length >= highWaterMessages;
      const bytes = slow ? toBinary(schema, message).length : 0;
      waiting.push({ message, bytes });
      waitingBytes += bytes;
      rouse();
      if (!slow) return true;
      if (waiting.length > bounds.messagesMax || waitingBytes > bounds.bytesMax) overflow();
      return false;
    },
    end(error: unknown, drop: boolean) {
      over ??= { error };
      if (drop) waiting = [];
      rouse();
      makeRoom();
    },
    /** Waits while too much is waiting. */
    async room(): Promise<void> {
      if (waiting.length <= highWaterMessages || over) return;
      await new Promise<void>((resolve) => {
        roomy = resolve;
      });
    },
    /** Every message, then the end or its error. */
    async *drain(): AsyncGenerator<Message> {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          waitingBytes -= next.bytes;
          if (waiting.length <= highWaterMessages) makeRoom();
          yield next.message;
        } else if (over) {
          if (over.error !== undefined) throw over.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}

/** Serves one stream as the router wants it: messages fetched one by one. `requests` only says when the next is there. */
export async function* serveStream(
  requests: AsyncIterable<unknown>,
  context: HandlerContext,
  scope: CallScope,
  { method, open }: ServedRpc & { kind: "stream" },
  rules: StreamRules,
): AsyncGenerator<Message> {
  let incoming: Incoming<Message> | undefined;
  let inputOver = false;
  const closeInput = () => {
    if (inputOver) return;
    inputOver = true;
    incoming?.closed();
  };
  const cut = (reason: unknown) => {
    outbox.end(reason, true);
    scope.cut(reason);
    closeInput();
  };
  const outbox = createOutbox(method.output, rules.queue, () => cut(readTooSlowly(rules.queue)));
  const out: Outgoing<Message> = {
    send: (message) => !outbox.ended() && outbox.put(message),
    end: (error) => outbox.end(error, false),
  };
  const self: OpenStream = { draining: () => incoming?.draining?.(), cut };
  const hangUp = () => {
    scope.cut();
    outbox.end(scope.call.signal.reason, true);
    closeInput();
  };

  const pump = async () => {
    try {
      for await (const _ of requests) {
        const message = takeMessage(context.values);
        if (outbox.ended()) break;
        incoming?.receive(message);
        await outbox.room();
      }
    } catch (error) {
      // A message that is wrong, or words of the router's; anything else says that the connection broke.
      if (error instanceof Fault || error instanceof ConnectError) out.end(error);
      else hangUp();
    }
    closeInput();
  };

  let stay: (() => void) | undefined;
  context.signal.addEventListener("abort", hangUp, { once: true });
  rules.streams.add(self);
  try {
    incoming = open(scope.call, out);
    stay = rules.whenLeaving?.(self.draining);
    if (inputOver) incoming.closed();
    void pump();
    yield* outbox.drain();
  } catch (error) {
    throw toConnectError(error, rules.sink);
  } finally {
    rules.streams.delete(self);
    stay?.();
    outbox.end(undefined, true);
    scope.cut();
    closeInput();
  }
}
