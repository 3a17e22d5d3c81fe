import type { TLSSocket } from "node:tls";
import type { Peer } from "../../identities/index.ts";
import type { Client } from "./judge.ts";

/** A peer is asked to leave so long before its certificate runs out, so that it is back with another in time. */
const LEAVE_BEFORE_MS = 5_000;
/** What is on a connection may take so long to end once its certificate is trusted no more. */
const CUT_AFTER_MS = 5_000;

interface Connection {
  readonly socket: TLSSocket;
  readonly client: Client;
  readonly leavers: Set<() => void>;
  readonly openedAtMs: number;
  withdrawn: string | undefined;
  leaving: boolean;
}

/** The living connections whose peers have shown certificates, and how they end when those count no more. */
export interface Connections {
  add(socket: TLSSocket, client: Client, address: string, nowMs: number): Peer;
  /** Looks at the time: whose certificate runs out is asked to leave, whose has run out is cut. */
  look(nowMs: number): void;
  /** Ends the connections that only an authority vouches for which is none any more. Answers how many. */
  trust(anchors: ReadonlySet<string>): number;
}

function leave(connection: Connection): void {
  if (connection.leaving) return;
  connection.leaving = true;
  for (const each of connection.leavers) each();
}

function peerOf(connection: Connection, address: string): Peer {
  const { leavers, client } = connection;
  return {
    address,
    shown: client.shown,
    withdrawn: () => connection.withdrawn,
    whenLeaving(leaver) {
      if (connection.leaving) leaver();
      leavers.add(leaver);
      return () => leavers.delete(leaver);
    },
  };
}

export function createConnections(cutAfterMs = CUT_AFTER_MS): Connections {
  const living = new Set<Connection>();
  const withdraw = (connection: Connection, why: string) => {
    connection.withdrawn ??= why;
    leave(connection);
  };
  return {
    add(socket, client, address, openedAtMs) {
      const state = { withdrawn: undefined, leaving: false };
      const connection: Connection = { socket, client, leavers: new Set(), openedAtMs, ...state };
      // Without a certificate there is nothing that could count no more.
      if (client.anchor !== undefined) {
        living.add(connection);
        socket.on("close", () => living.delete(connection));
      }
      return peerOf(connection, address);
    },
    look(nowMs) {
      for (const connection of living) {
        const { notAfterMs } = connection.client;
        if (nowMs >= notAfterMs) {
          withdraw(connection, "it has run out");
          connection.socket.destroy();
        } else if (nowMs >= notAfterMs - LEAVE_BEFORE_MS && connection.openedAtMs < notAfterMs - LEAVE_BEFORE_MS) {
          leave(connection);
        }
      }
    },
    trust(anchors) {
      let ended = 0;
      for (const connection of living) {
        if (connection.withdrawn !== undefined || anchors.has(connection.client.anchor ?? "")) continue;
        ended++;
        withdraw(connection, "whoever vouched for it is trusted no more");
        setTimeout(() => connection.socket.destroy(), cutAfterMs).unref();
      }
      return ended;
    },
  };
}
