/** Where the peer of a connection is. */
export interface PeerAddress {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** How many calls are open on each connection. A call names its connection by the address of its peer alone. */
export interface GrpcConnections {
  add(socket: PeerAddress): {
    readonly calls: () => number;
    readonly forget: () => void;
  };
  /** A call has begun on a connection; answers how to say that it is over. */
  began(peer: string): () => void;
}

export function createConnections(): GrpcConnections {
  const byPeer = new Map<string, { calls: number }>();
  return {
    add({ remoteAddress, remotePort }) {
      const peer = `${remoteAddress}:${remotePort}`;
      const connection = { calls: 0 };
      byPeer.set(peer, connection);
      const forget = () => {
        if (byPeer.get(peer) === connection) byPeer.delete(peer);
      };
      return { calls: () => connection.calls, forget };
    },
    began(peer) {
      const connection = byPeer.get(peer);
      if (!connection) return () => {};
      connection.calls++;
      return () => {
        connection.calls--;
      };
    },
  };
}
