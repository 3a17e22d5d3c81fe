import { createCrowdRoom } from "../../foundation/crowd-room.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";

// As much as is needed of Node's server of HTTP/2, its connections and its streams.
interface Stream {
  readonly destroyed: boolean;
  on(event: "error", listener: () => void): unknown;
}
interface Connection {
  readonly socket: unknown;
  on(event: "close", listener: () => void): unknown;
}
export interface Http2Serving {
  // biome-ignore lint/complexity/noBannedTypes: as Node's types have it
  listeners(event: "stream"): Function[];
  removeAllListeners(event: "stream"): unknown;
  on(event: "session", listener: (session: Connection) => void): unknown;
  on(event: "stream", listener: (stream: Stream, ...heard: unknown[]) => void): unknown;
}

/** How a server begins a call that has come. */
type Begin = (stream: Stream, ...heard: unknown[]) => void;

/**
 * Calls of all connections that begin in one turn and do not wait: more than one caller has in flight who asks as fast as it
 * can. Those that wait cost some microseconds more each, and share fewer commits.
 */
const CALLS_BEGUN_AT_ONCE_MAX = 256;
/** With so many calls waiting nothing more is read, on any connection: what is being read may bring some hundreds more. */
const WAITING_MAX = 128;
/** Connections that are read again in one turn. */
const READ_AGAIN_MAX = 64;

/** What a connection is read by. It is Node's, and missing in its types. */
interface Handle {
  readStop(): void;
  readStart(): void;
}

/** The connections of a server: read, or not read for a while. */
function createReading() {
  const read = new Map<Connection, Handle>();
  let unread = new Map<Connection, Handle>();
  let mayRead = true;
  let isStarting = false;
  /** One, then two, then four in a turn: each may bring as many calls as a connection may have. */
  const startInTurns = async () => {
    isStarting = true;
    for (let some = 1; unread.size > 0; some = Math.min(2 * some, READ_AGAIN_MAX)) {
      await turnOfTheLoop();
      if (!mayRead) break;
      let started = 0;
      for (const [session, handle] of unread) {
        if (started++ === some) break;
        unread.delete(session);
        read.set(session, handle);
        handle.readStart();
      }
    }
    isStarting = false;
  };
  return {
    add(session: Connection): void {
      const { _handle: handle } = session.socket as { readonly _handle: Handle | null };
      if (!handle) return;
      read.set(session, handle);
      session.on("close", () => {
        read.delete(session);
        unread.delete(session);
      });
    },
    stop(): void {
      mayRead = false;
      if (read.size === 0) return;
      for (const handle of read.values()) handle.readStop();
      // Those that have waited longer are read first.
      unread = new Map([...unread, ...read]);
      read.clear();
    },
    start(): void {
      mayRead = true;
      if (!isStarting) void startInTurns();
    },
  };
}

const ignore = () => {};

interface Options {
  readonly atOnceMax?: number;
  /** What comes after a turn while some wait. */
  readonly pause?: Pause | undefined;
}

/** Has the calls that come to a server begun in their turns. To be called once it has its listener for streams. */
export type BeginInTurns = (server: Http2Serving) => void;

/**
 * Has the calls that come over HTTP/2 begun some at a time, of all servers together: on a few connections thousands may come
 * in one turn, and each is tens of microseconds of setting up, and kilobytes. What waits is begun in the order in which it
 * came, unless its peer has given it up; where much waits, connections are not read.
 */
export function createBeginning({ atOnceMax = CALLS_BEGUN_AT_ONCE_MAX, pause }: Options = {}): BeginInTurns {
  const room = createCrowdRoom({ atOnceMax, pause });
  const reading = createReading();
  let waiting = 0;
  const beginLater = (begin: () => void) => {
    waiting++;
    if (waiting >= WAITING_MAX) reading.stop();
    room.enter(() => {
      waiting--;
      if (waiting === 0) reading.start();
      begin();
    });
  };
  return (server) => {
    const listeners = server.listeners("stream") as Begin[];
    server.removeAllListeners("stream");
    const begin: Begin = (...heard) => {
      for (const listener of listeners) listener.apply(server, heard);
    };
    server.on("session", reading.add);
    server.on("stream", (stream, ...heard) => {
      if (!room.full) {
        room.take();
        begin(stream, ...heard);
        return;
      }
      // Its peer may reset it before anybody else listens.
      stream.on("error", ignore);
      beginLater(() => {
        if (!stream.destroyed) begin(stream, ...heard);
      });
    });
  };
}
