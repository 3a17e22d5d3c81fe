import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Which way bytes go. */
type Direction = "toServer" | "toClient";

export interface PgProxy {
  /** The given URL with the proxy's address: TCP on 127.0.0.1. */
  readonly url: string;
  /** Keeps the bytes that arrive from now on; with a name, of connections that gave themselves that name. */
  hold(direction: Direction, applicationName?: string): void;
  /** Hands on what was kept and what follows. */
  resume(direction: Direction): void;
  /** Breaks connections: on both sides, or the client's alone, while the backend lives on and hears nothing. */
  cut(side?: "both" | "client"): void;
  /** Whether new connections are broken at once, as if Postgres were away. */
  refuse(refusing: boolean): void;
  /** Bytes handed on so far. */
  passed(direction: Direction): number;
  /** Questions that were answered to the client, of connections that gave themselves a name: how often it asked again. */
  answered(applicationName: string): number;
  /** Bytes kept now. */
  held(direction: Direction): number;
  /** Open connections of clients. */
  connections(): number;
  /** Resolves as soon as the condition holds; it is asked after every event of the proxy. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
}

function targetOf(url: string): Target {
  const { hostname, port, searchParams } = new URL(url);
  const number = port === "" ? 5432 : Number(port);
  const directory = searchParams.get("host");
  const socketPath = directory?.startsWith("/") ? `${directory}/.s.PGSQL.${number}` : undefined;
  return { host: directory ?? hostname, port: number, socketPath };
}

interface Lane {
  /** What a connection's first words must hold for its bytes to be kept; undefined: none is kept. */
  holding: string | undefined;
  passed: number;
  kept: { readonly to: Socket; readonly bytes: Buffer }[];
}

/** What went over a connection. */
interface Said {
  first: string;
  name: string;
  last: Direction;
}

const newLane = (): Lane => ({ holding: undefined, passed: 0, kept: [] });

/** Conditions that are waited for, and what tells them to look again. */
function waiting(): { changed(): void; until(condition: () => boolean): Promise<void> } {
  const waiters = new Set<() => void>();
  return {
    changed: () => {
      for (const look of waiters) look();
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
  };
}

/** A proxy before Postgres that can hold back, cut and resume. `url` is of the Postgres, over a Unix socket or TCP. */
export async function pgProxy(url: string): Promise<PgProxy> {
  const target = targetOf(url);
  const lanes: Record<Direction, Lane> = { toServer: newLane(), toClient: newLane() };
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  const servers = new Set<Socket>();
  const { changed, until } = waiting();
  let refusing = false;
  const answered = new Map<string, number>();

  const hand = (lane: Lane, to: Socket, bytes: Buffer): void => {
    lane.passed += bytes.length;
    if (to.writable) to.write(bytes);
  };
  const carry = (direction: Direction, from: Socket, to: Socket, said: Said): void => {
    const lane = lanes[direction];
    from.on("data", (bytes: Buffer) => {
      if (direction === "toServer") {
        said.first ||= bytes.toString("latin1");
        // Whoever asks again has its answer.
        if (said.last === "toClient") answered.set(said.name, (answered.get(said.name) ?? 0) + 1);
        said.name ||= /application_name\0([^\0]*)\0/.exec(said.first)?.[1] ?? "";
      }
      said.last = direction;
      if (lane.holding !== undefined && said.first.includes(lane.holding)) lane.kept.push({ to, bytes });
      else hand(lane, to, bytes);
      changed();
    });
  };

  const listener = createServer({ noDelay: true }, (client) => {
    client.on("error", () => {});
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = target.socketPath === undefined ? connect(target.port, target.host) : connect(target.socketPath);
    const pair = { client, server };
    pairs.add(pair);
    servers.add(server);
    const said: Said = { first: "", name: "", last: "toServer" };
    carry("toServer", client, server, said);
    carry("toClient", server, client, said);
    server.on("error", () => client.destroy());
    server.on("close", () => {
      servers.delete(server);
      // Answers that are held back still reach the client when they are let go.
      if (!lanes.toClient.kept.some(({ to }) => to === client)) client.end();
      changed();
    });
    client.on("close", () => {
      // A pair that was taken out before was cut: its backend is to live on.
      if (pairs.delete(pair)) server.end();
      changed();
    });
    changed();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  const proxied = new URL(url);
  proxied.searchParams.delete("host");
  proxied.host = `127.0.0.1:${address.port}`;

  const cut = (side: "both" | "client" = "both"): void => {
    for (const pair of [...pairs]) {
      pairs.delete(pair);
      pair.client.resetAndDestroy();
      if (side === "both") pair.server.destroy();
    }
    changed();
  };
  return {
    url: proxied.toString(),
    hold: (direction, applicationName = "") => {
      lanes[direction].holding = applicationName;
    },
    resume: (direction) => {
      const lane = lanes[direction];
      lane.holding = undefined;
      for (const { to, bytes } of lane.kept.splice(0)) hand(lane, to, bytes);
      changed();
    },
    cut,
    refuse: (now) => {
      refusing = now;
    },
    passed: (direction) => lanes[direction].passed,
    answered: (applicationName) => answered.get(applicationName) ?? 0,
    held: (direction) => lanes[direction].kept.reduce((sum, { bytes }) => sum + bytes.length, 0),
    connections: () => pairs.size,
    until,
    close: async () => {
      cut();
      for (const server of servers) server.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
