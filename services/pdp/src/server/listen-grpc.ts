import { createServer, type Socket } from "node:net";
import type { HostPort } from "../foundation/address.ts";
import type { Log } from "../foundation/log.ts";
import type { GrpcLane } from "../wire/lanes/grpc.ts";
import { bind, closeWithin, connectionsMax, type Listener } from "./listen.ts";
import type { MakeFront } from "./tls/front.ts";

interface Options {
  readonly address: HostPort;
  readonly variable: string;
  readonly lane: Pick<GrpcLane, "serve">;
  readonly front: MakeFront;
  readonly log: Log;
}

/** Listens for the gRPC lane where something stands before it: the lane gets connections that may be spoken on. */
export async function listenForGrpc({ address, variable, lane, front, log }: Options): Promise<Listener> {
  const sockets = new Set<Socket>();
  const accept = front(["h2"], (socket, peer) => {
    socket.on("error", () => socket.destroy());
    lane.serve(socket, peer);
  });
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
    close: (graceMs) => closeWithin(server, sockets, graceMs),
  };
}
