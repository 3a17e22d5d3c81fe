import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Member } from "./fleet.ts";

/** One address for many members, as a service of Kubernetes has: a connection goes to a member that is ready, and stays. */
export interface Balancer extends AsyncDisposable {
  readonly address: string;
  /** Connections handed on so far, by member. */
  readonly handed: ReadonlyMap<string, number>;
  /** Breaks every connection that is open at the moment an answer comes over it: what was asked was done. */
  loseAnswers(): void;
}

const LOOK_EVERY_MS = 50;

/** Balances gRPC. Like the real one it hears late who is not ready any more; a refused connection goes elsewhere. */
export async function startBalancer(members: readonly Member[]): Promise<Balancer> {
  const handed = new Map<string, number>();
  const sockets = new Set<Socket>();
  const handedOn = new Map<Socket, Socket>();
  let ready = [...members];
  let turn = 0;

  const look = async () => {
    const answers = await Promise.all(members.map((member) => member.ready()));
    ready = members.filter((_, at) => answers[at]);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, LOOK_EVERY_MS);

  const hand = (client: Socket, from: readonly Member[]): void => {
    const [member, ...others] = from;
    if (!member) {
      client.resetAndDestroy();
      return;
    }
    const [host = "", port] = member.grpcAddress.split(":");
    const server = connect(Number(port), host);
    let connected = false;
    server.once("connect", () => {
      connected = true;
      handed.set(member.name, (handed.get(member.name) ?? 0) + 1);
      client.pipe(server).pipe(client);
      handedOn.set(client, server);
    });
    server.on("error", () => (connected ? client.destroy() : hand(client, others)));
    server.on("close", () => connected && client.destroy());
    client.on("close", () => {
      handedOn.delete(client);
      server.destroy();
    });
  };
  const listener = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.on("close", () => sockets.delete(client));
    const first = turn++ % Math.max(1, ready.length);
    hand(client, [...ready.slice(first), ...ready.slice(0, first)]);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the balancer has no port");
  return {
    address: `127.0.0.1:${address.port}`,
    handed,
    loseAnswers: () => {
      for (const [client, server] of handedOn) {
        server.unpipe(client);
        server.once("data", () => client.resetAndDestroy());
        server.resume();
      }
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await looking;
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
