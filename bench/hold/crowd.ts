import { Worker } from "node:worker_threads";
import { create, toBinary } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { DecideRequestSchema, DecisionService, ExchangeRequestSchema } from "@remit/proto/decision";
import { createCrowdRoom } from "../../services/pdp/src/foundation/crowd-room.ts";
import { Fault } from "../../services/pdp/src/foundation/fault.ts";
import { limits } from "../../services/pdp/src/foundation/limits.ts";
import { listen } from "../../services/pdp/src/server/listen.ts";
import { listenForGrpc } from "../../services/pdp/src/server/listen-grpc.ts";
import { openCollecting } from "../../services/pdp/src/server/young-heap.ts";
import { createExchange } from "../../services/pdp/src/wire/index.ts";
import { createBeginning } from "../../services/pdp/src/wire/lanes/begin-in-turns.ts";
import { createConnectLane } from "../../services/pdp/src/wire/lanes/connect.ts";
import { createGrpcLane } from "../../services/pdp/src/wire/lanes/grpc.ts";
import { type Rpcs, serve } from "../../services/pdp/src/wire/lanes/served.ts";
import type { Case } from "./catalogue.ts";
import { type Pause, prepareWith, settle, turnOfTheLoop } from "./turns.ts";

/** What callers are told to ask. */
export interface Calls {
  readonly address: string;
  readonly count: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** One for each call, where they differ. */
  readonly bodies?: readonly Uint8Array[];
  /** The request goes on after its first message. */
  readonly open: boolean;
  readonly deadline?: { readonly header: string; readonly unit: string; readonly atMs: number };
}

/**
 * `write`: on every stream. `ready`: connects for what will be asked; `together`: all of that in one turn. `hang up`: resets
 * what was asked, and goes. `break`: goes without a word.
 */
export type Deed =
  | Calls
  | { readonly write: Uint8Array }
  | { readonly ready: Calls }
  | { readonly together: Calls }
  | "hang up"
  | "break";

const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} } as never;
const never = new Promise<never>(() => {});
const local = { host: "127.0.0.1", port: 0 };
const health = { ready: () => true, subscribe: () => () => {} };

const lanes = ["gRPC", "Connect"] as const;
type Lane = (typeof lanes)[number];
interface Server {
  readonly address: string;
  drain(graceMs: number): Promise<unknown>;
}

async function open(lane: Lane, rpcs: Rpcs<typeof DecisionService>, crowdPause: Pause): Promise<Server> {
  const { messageBytesMax, messageValuesMax: valuesMax } = limits;
  const services = [serve(DecisionService, rpcs)];
  const crowd = createCrowdRoom({ pause: crowdPause });
  const begins = createBeginning({ pause: crowdPause, crowd });
  const common = { services, log: silent, messageBytesMax, valuesMax, crowd };
  const at = (port: number) => `http://127.0.0.1:${port}`;
  if (lane === "gRPC") {
    const grpc = createGrpcLane({ ...common, begins, health });
    const listener = await listenForGrpc({ address: local, variable: "", lane: grpc, log: silent, crowd });
    const drain = (graceMs: number) => Promise.all([grpc.drain(graceMs), listener.close(graceMs)]);
    return { address: at(listener.address.port), drain };
  }
  const connect = createConnectLane(common);
  const handler = connectNodeAdapter({ routes: connect.routes });
  const listener = await listen({ address: local, variable: "", handler, log: silent, crowd, begins });
  const drain = (graceMs: number) => Promise.all([connect.drain(graceMs), listener.close(graceMs)]);
  return { address: at(listener.address.port), drain };
}

export function enveloped(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export const grpcHeaders = { "content-type": "application/grpc+proto", te: "trailers" };
export const connectHeaders = { "content-type": "application/proto", "connect-protocol-version": "1" };
const decideBytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, { callId: "c", tool: "pay" }));
const decides = (lane: Lane, address: string): Calls => ({
  ...{ address, count: limits.callsInFlightMax, path: "/remit.v1.DecisionService/Decide", open: false },
  ...(lane === "gRPC"
    ? { headers: grpcHeaders, body: enveloped(decideBytes) }
    : { headers: connectHeaders, body: decideBytes }),
});

const attach = { case: "attach", value: { sessionToken: "token" } } as const;
const attachBytes = toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame: 1n, body: attach }));
const exchanges = (address: string, count: number): Calls => ({
  ...{ address, count, path: "/remit.v1.DecisionService/Exchange", open: true },
  ...{ headers: grpcHeaders, body: enveloped(attachBytes) },
});

/** Callers in their own thread; `ended` once each call of theirs has, with what those over gRPC were answered. */
export function callersOf() {
  const worker = new Worker(new URL("./callers.ts", import.meta.url));
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Readonly<Record<string, number>>>();
  worker.on("message", (heard: "ready" | { readonly answered: Readonly<Record<string, number>> }) => {
    if (heard === "ready") ready.resolve();
    else ended.resolve(heard.answered);
  });
  return {
    do: (deed: Deed) => worker.postMessage(deed),
    ...{ ready: ready.promise, ended: ended.promise },
    leave: () => worker.terminate(),
  };
}

type Callers = ReturnType<typeof callersOf>;

/** Callers and a server: what happens once all of them are there. */
const crowd = (
  name: string,
  lane: Lane,
  make: () => { readonly rpcs: Rpcs<typeof DecisionService>; readonly isComplete: () => boolean },
  calls: (address: string) => Calls,
  happens: (callers: Callers, server: Server) => Promise<unknown>,
): Case => ({
  name: `crowd: ${name}, over ${lane}`,
  make: () => {
    const callers = callersOf();
    const { rpcs, isComplete } = make();
    // Known once the work begins.
    let crowdPause: Pause | undefined;
    const opened = open(lane, rpcs, async () => crowdPause?.());
    const work = prepareWith(
      async (pause) => {
        const server = await opened;
        callers.do(calls(server.address));
        while (!isComplete()) await pause();
        await settle(pause);
      },
      async (pause) => {
        // Of a cold process it is a turn of the loop.
        crowdPause = pause === turnOfTheLoop ? pause : openCollecting().crowdPause;
        await happens(callers, await opened);
      },
      async () => {
        await callers.leave();
        await (await opened).drain(100);
      },
    );
    return Object.assign(work, { compiles: true } as const);
  },
});

/** Calls that nothing answers. */
function waiting() {
  let arrived = 0;
  const decide = () => {
    arrived++;
    return never;
  };
  return { rpcs: { decide }, isComplete: () => arrived >= limits.callsInFlightMax };
}

/** Until it passes all of them have to be there. */
const DEADLINE_MS = 4_000;

const late = (lane: Lane): Case => {
  const [header, unit] = lane === "gRPC" ? ["grpc-timeout", "m"] : ["connect-timeout-ms", ""];
  const name = `the deadlines of ${limits.callsInFlightMax} calls pass at one moment`;
  const calls = (address: string) => {
    const deadline = { header, unit, atMs: Date.now() + DEADLINE_MS };
    return { ...decides(lane, address), deadline };
  };
  return crowd(name, lane, waiting, calls, ({ ended }) => ended);
};

const STREAMS_MANY = 10_000;

const tooMuch = (): never => {
  throw new Fault("exhausted", "overloaded", "too much is asked at once; Decide is turned away", { fix: "ask again" });
};

/** Streams of one session each, whose calls are all turned away. */
function attached(count: number) {
  const session = { id: "s", tenant: "t", ancestors: [], expiresAtMs: 1e15 };
  const identities = { tokenExpiry: async () => 1e15 };
  const desk = { whoAsks: () => async () => ({ session }), identities, enter: tooMuch, sink: () => {} } as never;
  const bars = { sessionBar: () => undefined, toolBar: () => undefined };
  const standing = { ...bars, revision: () => 1n, subscribe: () => () => {} };
  const { rpc, handles } = createExchange({ desk, standing, clock: { now: () => 1 }, streamLifeMs: () => 1e9 });
  return { rpcs: { exchange: rpc }, handles, isComplete: () => handles() >= count };
}

const STREAMS_FULL = 8;
const framesAll = Buffer.concat(
  Array.from({ length: limits.framesInFlightPerStreamMax }, (_, at) => {
    const call = create(DecideRequestSchema, { callId: `c${at}`, tool: "pay" });
    const body = { case: "decide", value: { handle: 1, call } } as const;
    const frame = create(ExchangeRequestSchema, { frame: BigInt(at + 2), body });
    return enveloped(toBinary(ExchangeRequestSchema, frame));
  }),
);

/** Of which a half is for streams that move by themselves. */
const GRACE_MS = 4_000;

/** What happens where very many callers are there at one moment, over sockets. */
export const crowds: readonly Case[] = lanes.flatMap((lane) => [
  late(lane),
  crowd(
    `${STREAMS_MANY} streams are told that the server stops, stay, and are cut`,
    lane,
    () => attached(STREAMS_MANY),
    (address) => exchanges(address, STREAMS_MANY),
    (_, server) => server.drain(GRACE_MS),
  ),
  crowd(
    `${STREAMS_FULL} streams bring as many frames as may be in flight, and all are turned away`,
    lane,
    () => attached(STREAMS_FULL),
    (address) => exchanges(address, STREAMS_FULL),
    async ({ do: tell }) => {
      tell({ write: framesAll });
      for (let turns = 0; turns < 5_000; turns++) await turnOfTheLoop();
    },
  ),
  ...(
    [
      ["end", "hang up"],
      ["break", "break"],
    ] as const
  ).map(([what, deed]) =>
    crowd(
      `${limits.callsInFlightMax} calls are given up as their callers' connections ${what}`,
      lane,
      waiting,
      (address) => decides(lane, address),
      async ({ do: tell }) => {
        tell(deed);
        for (let turns = 0; turns < 2_000; turns++) await turnOfTheLoop();
      },
    ),
  ),
]);
