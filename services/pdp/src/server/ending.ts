import type { Socket } from "node:net";
import type { CrowdRoom } from "../foundation/crowd-room.ts";

/** What the end of a connection weighs beside that of its streams: so few of those that have hardly any end in one turn. */
const CONNECTION_WEIGHT = 8;

/** Ends the connections of a listener in their turns. */
export interface Ending {
  /** So many streams are open on a connection, if it is spoken on as it was accepted. */
  carries(socket: Socket, streams: () => number): void;
  /** Settles once each has been told to end. */
  end(sockets: Iterable<Socket>): Promise<void>;
}

/**
 * With a connection end, in one piece and right after its turn, all streams on it and whoever waits for them. So one of many
 * streams ends alone. `streamsUnknown`: taken to be open where it is not known.
 *
 * Those that peers end are ended by Node, at once: once a socket is destroyed, nothing may come from it any more.
 */
export function createEnding(crowd: CrowdRoom, streamsUnknown: number): Ending {
  const streamsOn = new WeakMap<Socket, () => number>();
  return {
    carries: (socket, streams) => void streamsOn.set(socket, streams),
    end: (sockets) =>
      crowd.each(sockets, (socket) => {
        crowd.take(CONNECTION_WEIGHT + (streamsOn.get(socket)?.() ?? streamsUnknown));
        socket.destroy();
      }),
  };
}
