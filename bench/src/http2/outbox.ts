import { frameFlag, frameHeaderBytes, frameType, writeFrameHeader } from "./frames.ts";

/** What RFC 9113 gives a stream and a connection until the peer says more. */
export const windowBytesDefault = 65_535;
const frameBytesMax = 16_384;

interface Lane {
  windowBytes: number;
  readonly waiting: { bytes: Buffer; last: boolean }[];
}

/** Body bytes on their way out: sent as far as the peer's windows allow, kept in order behind them otherwise. */
export interface Outbox {
  open(stream: number): void;
  close(stream: number): void;
  /** Copies the bytes before it returns. */
  send(stream: number, bytes: Buffer, last: boolean): void;
  /** The peer widened a stream's window, or with 0 the connection's. */
  widen(stream: number, bytes: number): void;
  /** The peer set the window that streams begin with; those that are open move by the difference. */
  setInitial(bytes: number): void;
}

export function outbox(write: (bytes: Buffer) => void): Outbox {
  const lanes = new Map<number, Lane>();
  let connectionBytes = windowBytesDefault;
  let initialBytes = windowBytesDefault;

  /** Writes what both windows allow; returns what is left. */
  const push = (stream: number, lane: Lane, bytes: Buffer, last: boolean): Buffer | undefined => {
    let rest = bytes;
    while (rest.length > 0) {
      const size = Math.min(rest.length, frameBytesMax, connectionBytes, lane.windowBytes);
      if (size <= 0) return rest;
      const flags = last && size === rest.length ? frameFlag.endStream : 0;
      const out = Buffer.allocUnsafe(frameHeaderBytes + size);
      rest.copy(out, writeFrameHeader(out, 0, size, frameType.data, flags, stream), 0, size);
      write(out);
      connectionBytes -= size;
      lane.windowBytes -= size;
      rest = rest.subarray(size);
    }
    return undefined;
  };
  const drain = (stream: number, lane: Lane) => {
    for (let head = lane.waiting[0]; head !== undefined; head = lane.waiting[0]) {
      const left = push(stream, lane, head.bytes, head.last);
      if (left !== undefined) {
        head.bytes = left;
        return;
      }
      lane.waiting.shift();
    }
  };
  return {
    open: (stream) => void lanes.set(stream, { windowBytes: initialBytes, waiting: [] }),
    close: (stream) => void lanes.delete(stream),
    send(stream, bytes, last) {
      const lane = lanes.get(stream);
      if (lane === undefined) return;
      const left = lane.waiting.length > 0 ? bytes : push(stream, lane, bytes, last);
      if (left !== undefined) lane.waiting.push({ bytes: Buffer.from(left), last });
    },
    widen(stream, bytes) {
      if (stream === 0) {
        connectionBytes += bytes;
        for (const [number, lane] of lanes) if (lane.waiting.length > 0) drain(number, lane);
        return;
      }
      const lane = lanes.get(stream);
      if (lane === undefined) return;
      lane.windowBytes += bytes;
      drain(stream, lane);
    },
    setInitial(bytes) {
      for (const [number, lane] of lanes) {
        lane.windowBytes += bytes - initialBytes;
        drain(number, lane);
      }
      initialBytes = bytes;
    },
  };
}
