import { connect, type Socket } from "node:net";
import {
  connectionPreface,
  frame,
  frameFlag,
  frameReader,
  frameType,
  settingId,
  settingsFrame,
  unpadded,
  windowUpdateFrame,
} from "./frames.ts";
import { type Header, headerEncoder, headerTableBytes } from "./header-block.ts";
import { outbox, windowBytesDefault } from "./outbox.ts";

const windowBytesMax = 2 ** 31 - 1;
const windowTopUpBytes = 2 ** 24;

export interface StreamEvents {
  /** `statusOk` is false unless the response began with `:status: 200`. */
  headers(statusOk: boolean): void;
  /** `payload` is only valid during the call. */
  data(payload: Buffer): void;
  /** The peer has ended the stream, or the stream was cut off (`reset`). */
  end(reset: boolean): void;
}

interface OpenStream {
  readonly events: StreamEvents;
  headersSeen: boolean;
}

export interface Connection {
  /** Whether as many streams are open as the peer allows. */
  full(): boolean;
  /** Opens a stream; returns its number. */
  open(headers: readonly Header[], events: StreamEvents): number;
  /** Sends body bytes (copied before this returns); `last` ends our side. Waits for the peer's window when it is used up. */
  send(stream: number, bytes: Buffer, last: boolean): void;
  close(): void;
}

/**
 * One HTTP/2 connection in plaintext with prior knowledge. Writes of one turn of the event loop leave in one piece.
 * `failed` is called once, with the reason, when the connection is lost before `close()`.
 */
export async function openConnection(host: string, port: number, failed: (reason: Error) => void): Promise<Connection> {
  const socket = await dial(host, port);
  const streams = new Map<number, OpenStream>();
  const encode = headerEncoder();
  let nextStream = 1;
  let streamsMax = Number.POSITIVE_INFINITY;
  let closed = false;
  let receivedBytes = 0;
  let outgoing: Buffer[] = [];

  const flush = () => {
    if (outgoing.length > 0 && !socket.destroyed) socket.write(Buffer.concat(outgoing));
    outgoing = [];
  };
  const write = (bytes: Buffer) => {
    if (outgoing.length === 0) setImmediate(flush);
    outgoing.push(bytes);
  };
  const bodies = outbox(write);
  const lose = (reason: Error) => {
    if (closed) return;
    closed = true;
    socket.destroy();
    failed(reason);
  };
  const finish = (id: number, reset: boolean) => {
    const stream = streams.get(id);
    if (stream === undefined) return;
    streams.delete(id);
    bodies.close(id);
    stream.events.end(reset);
  };

  const settings = (payload: Buffer) => {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const id = payload.readUInt16BE(at);
      const value = payload.readUInt32BE(at + 2);
      if (id === settingId.initialWindowBytes) bodies.setInitial(value);
      else if (id === settingId.streamsMax) streamsMax = value;
      else if (id === settingId.headerTableBytes && value < headerTableBytes)
        return lose(new Error(`the server keeps a header table of ${value} bytes; ${headerTableBytes} are needed`));
    }
    write(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
  };
  const data = (id: number, payload: Buffer, body: Buffer) => {
    receivedBytes += payload.length;
    if (receivedBytes >= windowTopUpBytes) {
      write(windowUpdateFrame(0, receivedBytes));
      // A stream begins with the widest window; only one that lives long, and so alone, ever needs more.
      for (const [number] of streams) if (streams.size === 1) write(windowUpdateFrame(number, receivedBytes));
      receivedBytes = 0;
    }
    streams.get(id)?.events.data(body);
  };
  const headers = (id: number, block: Buffer) => {
    const stream = streams.get(id);
    if (stream === undefined || stream.headersSeen) return;
    stream.headersSeen = true;
    stream.events.headers(saysOk(block));
  };

  const read = frameReader({
    frame(type, flags, id, payload) {
      const acknowledges = (flags & frameFlag.ack) !== 0;
      if (type === frameType.data) data(id, payload, unpadded(flags, payload));
      else if (type === frameType.headers) headers(id, unpadded(flags, payload));
      else if (type === frameType.settings && !acknowledges) settings(payload);
      else if (type === frameType.windowUpdate) bodies.widen(id, payload.readUInt32BE(0));
      else if (type === frameType.rstStream) finish(id, true);
      else if (type === frameType.goAway) lose(new Error(`the server said GOAWAY, code ${payload.readUInt32BE(4)}`));
      else if (type === frameType.ping && !acknowledges)
        write(frame(frameType.ping, frameFlag.ack, 0, Buffer.from(payload)));
      if ((type === frameType.data || type === frameType.headers) && (flags & frameFlag.endStream) !== 0)
        finish(id, false);
    },
  });
  socket.on("data", read);
  socket.on("error", lose);
  socket.on("close", () => lose(new Error("the server closed the connection")));

  const ours = [
    [settingId.enablePush, 0],
    [settingId.initialWindowBytes, windowBytesMax],
  ] as const;
  write(Buffer.concat([connectionPreface, settingsFrame(ours)]));
  write(windowUpdateFrame(0, windowBytesMax - windowBytesDefault));

  return {
    full: () => streams.size >= streamsMax,
    open(fields, events) {
      const id = nextStream;
      nextStream += 2;
      streams.set(id, { events, headersSeen: false });
      bodies.open(id);
      write(frame(frameType.headers, frameFlag.endHeaders, id, encode(fields)));
      return id;
    },
    send: bodies.send,
    close() {
      closed = true;
      flush();
      socket.destroy();
    },
  };
}

/** Whether a header block begins with `:status: 200`, entry 8 of the static table; a table size update may stand first. */
function saysOk(block: Buffer): boolean {
  let at = 0;
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += (block[at] ?? 0) === 0x3f ? 3 : 1;
  return block[at] === 0x88;
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
