import { type Message, toBinary } from "@bufbuild/protobuf";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { Incoming, Outgoing } from "../call.ts";
import { toGrpcError } from "../errors.ts";
import { decodeBinary, tooLarge } from "./decode.ts";
import { type GrpcRules, openGrpcCall } from "./grpc-call.ts";
import type { ServedRpc } from "./served.ts";
import { type OpenStream, readTooSlowly } from "./stream-rules.ts";

type Raw = ServerDuplexStream<Buffer, Buffer>;

/** What waits for the peer: beyond what grpc-js buffers by itself (16 messages), so that it can be counted and dropped. */
function createOutbox(stream: Raw, rules: GrpcRules, overflow: () => void, flowing: () => void) {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let blocked = false;
  let whenEmpty: (() => void) | undefined;

  stream.on("drain", () => {
    blocked = false;
    let sent = 0;
    while (sent < waiting.length && !blocked) {
      const bytes = waiting[sent++] as Buffer;
      waitingBytes -= bytes.length;
      blocked = !stream.write(bytes);
    }
    waiting.splice(0, sent);
    if (waiting.length > 0) return;
    whenEmpty?.();
    if (!blocked) flowing();
  });

  return {
    put(bytes: Buffer): boolean {
      if (!blocked) {
        blocked = !stream.write(bytes);
        return !blocked;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waiting.length > rules.queue.messagesMax || waitingBytes > rules.queue.bytesMax) overflow();
      return false;
    },
    flowing: () => !blocked && waiting.length === 0,
    drop() {
      waiting = [];
      waitingBytes = 0;
    },
    /** Calls back once everything has been handed to grpc-js. */
    flush(then: () => void) {
      if (waiting.length === 0) then();
      else whenEmpty = then;
    },
  };
}

/** Takes nothing more from the peer in a turn in which all streams together have brought enough. */
function createTurns(stream: Raw, { messages }: GrpcRules, mayFlow: () => boolean) {
  let waits = false;
  const readOn = () => {
    if (!waits && mayFlow()) stream.resume();
  };
  return {
    readOn,
    took(bytes: number) {
      messages.take(bytes);
      if (!messages.full || waits) return;
      waits = true;
      stream.pause();
      messages.enter(() => {
        waits = false;
        readOn();
      });
    },
  };
}

/**
 * Serves one stream. Its peer is read only while it reads: as soon as an answer has to wait, nothing more is taken
 * from it. What the service sends unasked may still pile up, and past the bound the stream ends.
 */
export function serveStream(stream: Raw, { method, open }: ServedRpc & { kind: "stream" }, rules: GrpcRules): void {
  let incoming: Incoming<Message> | undefined;
  let ended = false;
  let inputOver = false;

  const closeInput = () => {
    if (inputOver) return;
    inputOver = true;
    incoming?.closed();
  };
  const scope = openGrpcCall(stream, rules, { late: (reason) => cut(reason), gone: closeInput });
  const finish = (error: unknown) => {
    if (ended) return;
    ended = true;
    outbox.flush(() => {
      if (error === undefined) stream.end();
      else stream.emit("error", toGrpcError(error, rules.sink));
    });
    // Whatever the peer still sends is thrown away.
    stream.resume();
  };
  const cut = (reason: unknown) => {
    outbox.drop();
    finish(reason);
    scope.cut(reason);
    closeInput();
  };
  const tooSlow = () => cut(readTooSlowly(rules.queue));
  const outbox = createOutbox(stream, rules, tooSlow, () => turns.readOn());
  const turns = createTurns(stream, rules, () => ended || outbox.flowing());
  const out: Outgoing<Message> = {
    send(message) {
      if (ended) return false;
      const bytes = toBinary(method.output, message);
      if (bytes.length > rules.messageBytesMax) {
        cut(tooLarge("response", bytes.length, rules.messageBytesMax));
        return false;
      }
      const flowing = outbox.put(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      if (!flowing && !ended) stream.pause();
      return flowing;
    },
    end: finish,
  };
  const self: OpenStream = { draining: () => incoming?.draining?.(), cut };
  let stay: (() => void) | undefined;

  stream.on("data", (bytes: Buffer) => {
    if (ended) return;
    turns.took(bytes.length);
    try {
      if (bytes.length > rules.messageBytesMax) throw tooLarge("request", bytes.length, rules.messageBytesMax);
      incoming?.receive(decodeBinary(method.input, bytes, rules.valuesMax));
    } catch (error) {
      finish(error);
      closeInput();
    }
  });
  stream.on("end", closeInput);
  // Comes after every end, the regular one too.
  stream.on("cancelled", () => {
    rules.streams.delete(self);
    stay?.();
    ended = true;
    outbox.drop();
  });
  rules.streams.add(self);
  try {
    incoming = open(scope.call, out);
    stay = scope.vouched?.whenLeaving(self.draining);
    if (inputOver) incoming.closed();
  } catch (error) {
    finish(error);
  }
}
