import { createServer, type Socket } from "node:net";
import type { HostPort } from "../foundation/address.ts";
import { type CrowdRoom, createCrowdRoom } from "../foundation/crowd-room.ts";
import type { Log } from "../foundation/log.ts";
import type { Peer } from "../identities/index.ts";
import type { GrpcLane } from "../wire/lanes/grpc.ts";
import { bind, closeWithin, connectionsMax, type Listener } from "./listen.ts";
import type { MakeFront } from "./tls/front.ts";
import { peerOfSocket } from "./tls/peers.ts";

interface Options {
  readonly address: HostPort;
  readonly variable: string;
  readonly lane: Pick<GrpcLane, "serve">;
  /** What stands before it: TLS, or who may connect at all. */
  readonly front?: MakeFront | undefined;
  readonly log: Log;
  /** Where connections end in their turns. */
  readonly crowd?: CrowdRoom;
}

/** Listens for the gRPC lane: it gets connections that may be spoken on. */
export async function listenForGrpc(options: Options): Promise<Listener> {
  const { address, variable, lane, front, log, crowd = createCrowdRoom() } = options;
  const sockets = new Set<Socket>();
  const begin = (socket: Socket, peer: Peer) => {
    socket.on("error", () => socket.destroy());
    lane.serve(socket, peer);
  };
  const accept = front?.(["h2"], begin) ?? ((socket) => begin(socket, peerOfSocket(socket)));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    accept(socket);
  });
  server.maxConnections = connectionsMax;
  const bound = await bind(server, address, variable);
  server.on("error", (error) => log.error({ err: error }, "a listener failed"));
  return {
    address: bound,
    close: (graceMs) => closeWithin(server, sockets, graceMs, crowd),
  };
}
