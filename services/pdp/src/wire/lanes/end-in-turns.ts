import { type CrowdRoom, createCrowdRoom } from "../../foundation/crowd-room.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import type { Connection, Reading } from "./reading.ts";

// As much as is needed of Node's connections of HTTP/2, and their streams.
interface Stream {
  readonly destroyed: boolean;
  /** It ended before it was answered. */
  readonly aborted: boolean;
  on(event: "close", listener: () => void): unknown;
  close(code: number): void;
  destroy(): unknown;
}
/** What a connection is spoken over. */
export interface Socket {
  readonly destroyed: boolean;
  destroy(error?: Error): unknown;
}
export interface Carrying extends Connection {
  on(event: "close", listener: () => void): unknown;
  on(event: "stream", listener: (stream: Stream) => void): unknown;
}

/** A connection of so few streams ends with them, where few others do. */
const FEW_STREAMS = 8;
/** What the end of a connection weighs beside that of its streams: so few of those that have hardly any end in one turn. */
const CONNECTION_WEIGHT = 8;
/** Streams that peers reset in one turn before nothing more is read in it: what is being read may bring some hundreds more. */
const RESET_AT_ONCE_MAX = 64;

/** Of HTTP/2: what was asked is not needed any more. */
const CANCEL = 0x8;

/** As Node ends each of the streams of a connection that is gone. */
function endStream(stream: Stream): void {
  if (stream.destroyed) return;
  stream.close(CANCEL);
  stream.destroy();
}

/** What a socket of TLS is spoken over. It is Node's, and missing in its types. */
function socketBelow(socket: Socket): Socket | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly _parentWrap?: Socket } | null };
  return handle?._parentWrap ?? undefined;
}

/**
 * Has what destroys a socket, and the one below it, done by `begin`, once. It may still be spoken on until it says that the
 * socket may go: so Node finds hardly anything on it that ends with it.
 */
function destroyLater(socket: Socket, begin: (go: () => void) => void): void {
  const below = socketBelow(socket);
  const destroy = socket.destroy.bind(socket);
  let hasBegun = false;
  socket.destroy = (error) => {
    // Over what is gone already nothing may be written.
    if (below?.destroyed) {
      socket.destroy = destroy;
      return socket.destroy(error);
    }
    if (hasBegun) return socket;
    hasBegun = true;
    begin(() => {
      socket.destroy = destroy;
      socket.destroy(error);
    });
    return socket;
  };
  if (!below) return;
  const destroyBelow = below.destroy.bind(below);
  below.destroy = (error) => {
    if (socket.destroyed) {
      below.destroy = destroyBelow;
      return below.destroy(error);
    }
    socket.destroy(error);
    return below;
  };
}

/** To be told of each connection; answers how many streams are open on it. */
export type EndInTurns = (connection: Carrying, socket: Socket) => () => number;

interface Options {
  readonly crowd: CrowdRoom;
  readonly reading: Reading;
  /** What comes after a turn in which very many were reset. */
  readonly pause?: Pause | undefined;
}

/**
 * Has the streams of a connection that ends, whoever ended it, end in their turns before it does: Node would end them, and
 * have whoever waits for them told, in one piece. Where peers reset very many themselves, connections are not read for a turn.
 */
export function createEndInTurns({ crowd, reading, pause }: Options): EndInTurns {
  const resets = createCrowdRoom({ atOnceMax: RESET_AT_ONCE_MAX, pause });
  const gate = reading.gate();
  let isClosed = false;
  const wasReset = () => {
    resets.take();
    if (!resets.full || isClosed) return;
    isClosed = true;
    gate.close();
    resets.enter(() => {
      isClosed = false;
      gate.open();
    });
  };
  return (connection, socket) => {
    const open = new Set<Stream>();
    let isEnding = false;
    connection.on("stream", (stream) => {
      open.add(stream);
      stream.on("close", () => {
        open.delete(stream);
        if (stream.aborted && !isEnding) wasReset();
      });
    });
    destroyLater(socket, (go) => {
      isEnding = true;
      reading.end(connection);
      if (!crowd.full && open.size <= FEW_STREAMS) {
        crowd.take(CONNECTION_WEIGHT + open.size);
        return go();
      }
      void crowd.each(open, endStream).then(() => {
        crowd.take(CONNECTION_WEIGHT);
        go();
      });
    });
    return () => open.size;
  };
}
