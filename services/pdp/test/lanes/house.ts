import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { HostPort } from "../../src/foundation/address.ts";
import type { Log } from "../../src/foundation/log.ts";
import { type Listener, listen, type Timings } from "../../src/server/listen.ts";
import { listenForGrpc } from "../../src/server/listen-grpc.ts";
import { createBeginning } from "../../src/wire/lanes/begin-in-turns.ts";
import { type ConnectLane, createConnectLane } from "../../src/wire/lanes/connect.ts";
import { createGrpcLane, type GrpcLane } from "../../src/wire/lanes/grpc.ts";
import type { QueueBounds } from "../../src/wire/lanes/stream-rules.ts";
import { createToy, type Toy } from "./toy.ts";

export const messageBytesMax = 64 * 1024;
export const queue: QueueBounds = { messagesMax: 128, bytesMax: 256 * 1024 };
/** Calls that begin in one turn: few, so that some wait. */
export const BEGUN_AT_ONCE_MAX = 16;
const loopback: HostPort = { host: "127.0.0.1", port: 0 };

/** A readiness that a test switches. */
export function createSwitch() {
  let on = true;
  const listeners = new Set<() => void>();
  return {
    ready: () => on,
    subscribe: (changed: () => void) => {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    set(to: boolean) {
      on = to;
      for (const changed of listeners) changed();
    },
    subscribers: () => listeners.size,
  };
}

export interface House {
  readonly toy: Toy;
  readonly grpcLane: GrpcLane;
  readonly grpcListener: Listener;
  readonly connectLane: ConnectLane;
  readonly listener: Listener;
  readonly grpc: HostPort;
  readonly http: HostPort;
  readonly health: ReturnType<typeof createSwitch>;
  /** Calls that have ended, and how many that come are still taken to follow on some: none, unless a test says so. */
  readonly followed: { ended: number; left: number };
  /** Everything logged: level, fields, message. */
  readonly lines: [string, Record<string, unknown>, string][];
  close(): Promise<void>;
}

/** The toy served on both lanes, on free ports. */
export async function openHouse(timings: Partial<Timings> = {}, bodyMs = 30_000): Promise<House> {
  const toy = createToy();
  const health = createSwitch();
  const lines: House["lines"] = [];
  const write = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void lines.push([level, fields, message]);
  const log: Log = { info: write("info"), warn: write("warn"), error: write("error") };
  const followed = { ended: 0, left: 0 };
  const again = { ended: () => followed.ended++, take: () => followed.left-- > 0 };
  const begins = createBeginning({ atOnceMax: BEGUN_AT_ONCE_MAX, again });
  const grpcLane = createGrpcLane({ services: [toy.served], health, log, messageBytesMax, queue, begins });
  const connectLane = createConnectLane({ services: [toy.served], log, messageBytesMax, queue, bodyMs });
  const listener = await listen({
    address: loopback,
    variable: "REMIT_HTTP_ADDRESS",
    handler: connectNodeAdapter({ routes: connectLane.routes }),
    ...{ log, timings, begins },
  });
  const grpcListener = await listenForGrpc({
    ...{ address: loopback, variable: "REMIT_GRPC_ADDRESS", lane: grpcLane, log },
  });
  return {
    toy,
    grpcLane,
    grpcListener,
    connectLane,
    listener,
    grpc: grpcListener.address,
    http: listener.address,
    health,
    followed,
    lines,
    async close() {
      toy.release();
      await Promise.all([grpcLane.drain(0), grpcListener.close(0), connectLane.drain(0), listener.close(0)]);
    },
  };
}
