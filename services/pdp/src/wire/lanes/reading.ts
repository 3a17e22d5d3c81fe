import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";

/** As much as is needed of Node's connections of HTTP/2. */
export interface Connection {
  readonly socket: unknown;
  on(event: "close", listener: () => void): unknown;
}

/** What a connection is read by. It is Node's, and missing in its types. */
interface Handle {
  readStop(): void;
  readStart(): void;
}

/** Has connections read, or not read for a while. */
export interface Reading {
  add(connection: Connection): void;
  /** Nothing of it is read any more. */
  end(connection: Connection): void;
  /** A reason not to read: nothing is read while there is any. */
  gate(): Gate;
}

export interface Gate {
  close(): void;
  open(): void;
}

/** Connections that are read again in one turn. */
const READ_AGAIN_MAX = 64;

export function createReading(): Reading {
  const read = new Map<Connection, Handle>();
  let unread = new Map<Connection, Handle>();
  const closed = new Set<Gate>();
  let isStarting = false;
  const forget = (connection: Connection) => {
    read.delete(connection);
    unread.delete(connection);
  };
  const stop = () => {
    if (read.size === 0) return;
    for (const handle of read.values()) handle.readStop();
    // Those that have waited longer are read first.
    unread = new Map([...unread, ...read]);
    read.clear();
  };
  /** One, then two, then four in a turn: each may bring as many calls as a connection may have. */
  const startInTurns = async () => {
    isStarting = true;
    for (let some = 1; unread.size > 0; some = Math.min(2 * some, READ_AGAIN_MAX)) {
      await turnOfTheLoop();
      if (closed.size > 0) break;
      let started = 0;
      for (const [connection, handle] of unread) {
        if (started++ === some) break;
        unread.delete(connection);
        read.set(connection, handle);
        handle.readStart();
      }
    }
    isStarting = false;
  };
  return {
    add(connection) {
      const { _handle: handle } = connection.socket as { readonly _handle: Handle | null };
      if (!handle) return;
      read.set(connection, handle);
      connection.on("close", () => forget(connection));
    },
    end(connection) {
      (read.get(connection) ?? unread.get(connection))?.readStop();
      forget(connection);
    },
    gate() {
      const gate: Gate = {
        close() {
          closed.add(gate);
          stop();
        },
        open() {
          if (closed.delete(gate) && closed.size === 0 && !isStarting) void startInTurns();
        },
      };
      return gate;
    },
  };
}
