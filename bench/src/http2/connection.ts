import { connect, type Socket } from "node:net";
import {
  connectionPreface,
  frame,
  frameFlag,
  frameHeaderBytes,
  frameReader,
  frameType,
  settingId,
  settingsFrame,
  unpadded,
  windowUpdateFrame,
  writeFrameHeader,
} from "./frames.ts";
import { type Header, headerEncoder, headerTableBytes } from "./header-block.ts";

const windowBytesMax = 2 ** 31 - 1;
const windowBytesDefault = 65_535;
const windowTopUpBytes = 2 ** 24;
const frameBytesMax = 16_384;

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
  windowBytes: number;
  readonly waiting: { bytes: Buffer; last: boolean }[];
  headersSeen: boolean;
}

export interface Connection {
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
  let closed = false;
  let connectionWindowBytes = windowBytesDefault;
  let initialWindowBytes = windowBytesDefault;
  let receivedBytes = 0;
  let outgoing: Buffer[] = [];

  const flush = () => {
    if (outgoing.length === 0) return;
    socket.write(outgoing.length === 1 ? (outgoing[0] ?? "") : Buffer.concat(outgoing));
    outgoing = [];
  };
  const write = (bytes: Buffer) => {
    if (outgoing.length === 0) setImmediate(flush);
    outgoing.push(bytes);
  };
  const lose = (reason: Error) => {
    if (closed) return;
    closed = true;
    socket.destroy();
    failed(reason);
  };

  /** Writes as much as both windows allow; returns what is left. */
  const push = (id: number, stream: OpenStream, bytes: Buffer, last: boolean): Buffer | undefined => {
    let rest = bytes;
    while (rest.length > 0) {
      const size = Math.min(rest.length, frameBytesMax, connectionWindowBytes, stream.windowBytes);
      if (size <= 0) return rest;
      const out = Buffer.allocUnsafe(frameHeaderBytes + size);
      const whole = size === rest.length;
      const at = writeFrameHeader(out, 0, size, frameType.data, whole && last ? frameFlag.endStream : 0, id);
      rest.copy(out, at, 0, size);
      write(out);
      connectionWindowBytes -= size;
      stream.windowBytes -= size;
      rest = rest.subarray(size);
    }
    return undefined;
  };
  const drain = (id: number, stream: OpenStream) => {
    for (let head = stream.waiting[0]; head !== undefined; head = stream.waiting[0]) {
      const left = push(id, stream, head.bytes, head.last);
      if (left !== undefined) {
        head.bytes = left;
        return;
      }
      stream.waiting.shift();
    }
  };
  const finish = (id: number, reset: boolean) => {
    const stream = streams.get(id);
    if (stream === undefined) return;
    streams.delete(id);
    stream.events.end(reset);
  };

  const settings = (flags: number, payload: Buffer) => {
    if ((flags & frameFlag.ack) !== 0) return;
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const id = payload.readUInt16BE(at);
      const value = payload.readUInt32BE(at + 2);
      if (id === settingId.headerTableBytes && value < headerTableBytes)
        return lose(new Error(`the server keeps a header table of ${value} bytes; ${headerTableBytes} are needed`));
      if (id !== settingId.initialWindowBytes) continue;
      for (const stream of streams.values()) stream.windowBytes += value - initialWindowBytes;
      initialWindowBytes = value;
    }
    write(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
  };
  const windowUpdate = (id: number, payload: Buffer) => {
    const bytes = payload.readUInt32BE(0);
    if (id === 0) {
      connectionWindowBytes += bytes;
      for (const [number, stream] of streams) if (stream.waiting.length > 0) drain(number, stream);
      return;
    }
    const stream = streams.get(id);
    if (stream === undefined) return;
    stream.windowBytes += bytes;
    drain(id, stream);
  };
  const data = (id: number, flags: number, payload: Buffer) => {
    receivedBytes += payload.length;
    if (receivedBytes >= windowTopUpBytes) {
      write(windowUpdateFrame(0, receivedBytes));
      // A long stream's own window is topped up with the connection's: there is at most one such stream a connection.
      for (const [number] of streams) if (streams.size === 1) write(windowUpdateFrame(number, receivedBytes));
      receivedBytes = 0;
    }
    streams.get(id)?.events.data(unpadded(flags, payload));
  };
  const headers = (id: number, payload: Buffer) => {
    const stream = streams.get(id);
    if (stream === undefined || stream.headersSeen) return;
    stream.headersSeen = true;
    // A table size update may stand before the first field; `:status: 200` is entry 8 of the static table.
    let at = 0;
    while (((payload[at] ?? 0) & 0xe0) === 0x20) at += (payload[at] ?? 0) === 0x3f ? 3 : 1;
    stream.events.headers(payload[at] === 0x88);
  };

  const read = frameReader({
    frame(type, flags, id, payload) {
      if (type === frameType.data) data(id, flags, payload);
      else if (type === frameType.headers) headers(id, unpadded(flags, payload));
      else if (type === frameType.settings) settings(flags, payload);
      else if (type === frameType.windowUpdate) windowUpdate(id, payload);
      else if (type === frameType.rstStream) finish(id, true);
      else if (type === frameType.goAway) lose(new Error(`the server said GOAWAY, code ${payload.readUInt32BE(4)}`));
      else if (type === frameType.ping && (flags & frameFlag.ack) === 0)
        write(frame(frameType.ping, frameFlag.ack, 0, Buffer.from(payload)));
      if ((type === frameType.data || type === frameType.headers) && (flags & frameFlag.endStream) !== 0)
        finish(id, false);
    },
  });
  socket.on("data", read);
  socket.on("error", lose);
  socket.on("close", () => lose(new Error("the server closed the connection")));

  write(connectionPreface);
  write(
    settingsFrame([
      [settingId.enablePush, 0],
      [settingId.initialWindowBytes, windowBytesMax],
    ]),
  );
  write(windowUpdateFrame(0, windowBytesMax - windowBytesDefault));

  return {
    open(fields, events) {
      const id = nextStream;
      nextStream += 2;
      streams.set(id, { events, windowBytes: initialWindowBytes, waiting: [], headersSeen: false });
      write(frame(frameType.headers, frameFlag.endHeaders, id, encode(fields)));
      return id;
    },
    send(id, bytes, last) {
      const stream = streams.get(id);
      if (stream === undefined) return;
      if (stream.waiting.length > 0) {
        stream.waiting.push({ bytes: Buffer.from(bytes), last });
        return;
      }
      const left = push(id, stream, bytes, last);
      if (left !== undefined) stream.waiting.push({ bytes: Buffer.from(left), last });
    },
    close() {
      closed = true;
      flush();
      socket.destroy();
    },
  };
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
