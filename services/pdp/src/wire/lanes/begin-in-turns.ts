import { type CrowdRoom, createCrowdRoom } from "../../foundation/crowd-room.ts";
import type { Pause } from "../../foundation/in-slices.ts";
import { type AskedAgain, createAskedAgain } from "./asked-again.ts";
import { type Carrying, createEndInTurns, type Socket } from "./end-in-turns.ts";
import { createReading } from "./reading.ts";

// As much as is needed of Node's server of HTTP/2, its connections and its streams.
interface Stream {
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  on(event: "error" | "close", listener: () => void): unknown;
  emit(event: "end"): unknown;
}
export interface Http2Serving {
  // biome-ignore lint/complexity/noBannedTypes: as Node's types have it
  listeners(event: "stream"): Function[];
  removeAllListeners(event: "stream"): unknown;
  prependListener(event: "connection", listener: (socket: Socket) => void): unknown;
  on(event: "session", listener: (session: Carrying) => void): unknown;
  on(event: "stream", listener: (stream: Stream, ...heard: unknown[]) => void): unknown;
}

/** How a server begins a call that has come. */
type Begin = (stream: Stream, ...heard: unknown[]) => void;

/**
 * Calls of all connections that begin in one turn and do not wait, though they follow on none that was answered. Those that
 * wait cost some microseconds more each, and share fewer commits: so callers who keep many in flight do not.
 */
const CALLS_BEGUN_AT_ONCE_MAX = 32;
/** With so many calls waiting nothing more is read, on any connection: what is being read may bring some hundreds more. */
const WAITING_MAX = 128;

const ignore = () => {};

interface Options {
  readonly atOnceMax?: number;
  /** Which of them follow on others that were answered. */
  readonly again?: AskedAgain;
  /** What comes after a turn while some wait. */
  readonly pause?: Pause | undefined;
  /** Where connections, and what is open on them, end in their turns. */
  readonly crowd?: CrowdRoom;
}

/**
 * Has the calls that come to a server begun in their turns, and ended in theirs with their connections. To be called once it
 * has its listener for streams. Answers how many calls are open on a connection.
 */
export type BeginInTurns = (server: Http2Serving) => (session: Carrying) => number;

/**
 * Has the calls that come over HTTP/2 begun some at a time, of all servers together: on a few connections thousands may come
 * in one turn, and each is tens of microseconds of setting up, and kilobytes. What waits is begun in the order in which it
 * came, unless its peer has given it up; where much waits, connections are not read.
 */
export function createBeginning(options: Options = {}): BeginInTurns {
  const { atOnceMax = CALLS_BEGUN_AT_ONCE_MAX, pause } = options;
  const { again = createAskedAgain(), crowd = createCrowdRoom({ pause }) } = options;
  const room = createCrowdRoom({ atOnceMax, pause });
  const reading = createReading();
  const gate = reading.gate();
  const endInTurns = createEndInTurns({ crowd, reading, pause });
  let waiting = 0;
  const beginLater = (begin: () => void) => {
    waiting++;
    if (waiting >= WAITING_MAX) gate.close();
    room.enter(() => {
      waiting--;
      if (waiting === 0) gate.open();
      begin();
    });
  };
  return (server) => {
    let accepted: Socket | undefined;
    const openOn = new WeakMap<Carrying, () => number>();
    const listeners = server.listeners("stream") as Begin[];
    server.removeAllListeners("stream");
    const begin: Begin = (stream, ...heard) => {
      stream.on("close", again.ended);
      for (const listener of listeners) listener.call(server, stream, ...heard);
    };
    // A connection is told of as soon as its socket has been.
    server.prependListener("connection", (socket) => {
      accepted = socket;
    });
    server.on("session", (session) => {
      reading.add(session);
      if (accepted) openOn.set(session, endInTurns(session, accepted));
      accepted = undefined;
    });
    server.on("stream", (stream, ...heard) => {
      if (waiting === 0 && again.take()) return begin(stream, ...heard);
      if (!room.full) {
        room.take();
        return begin(stream, ...heard);
      }
      // Its peer may reset it before anybody else listens.
      stream.on("error", ignore);
      beginLater(() => {
        if (stream.destroyed) return;
        // One that brought nothing has ended by now, before anybody listened.
        const hasEnded = stream.readableEnded;
        begin(stream, ...heard);
        if (hasEnded) stream.emit("end");
      });
    });
    return (session) => openOn.get(session)?.() ?? 0;
  };
}
