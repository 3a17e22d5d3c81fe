import type {
  ConnectionInjector,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Server, ServerCredentials, setLogger } from "@grpc/grpc-js";
import { type CrowdRoom, createCrowdRoom } from "../../foundation/crowd-room.ts";
import { limits } from "../../foundation/limits.ts";
import type { Log } from "../../foundation/log.ts";
import type { Peer } from "../../identities/index.ts";
import { logCauses } from "../errors.ts";
import { type BeginInTurns, createBeginning, type Http2Serving } from "./begin-in-turns.ts";
import { createDeadlines } from "./deadlines.ts";
import { type GrpcRules, type GrpcVouch, serveUnary } from "./grpc-call.ts";
import { serveStream } from "./grpc-stream.ts";
import { type Readiness, serveHealth } from "./health.ts";
import type { Served } from "./served.ts";
import { createMessageRoom, createOpenStreams, type QueueBounds, queueBounds, streamGraceMs } from "./stream-rules.ts";

export interface GrpcLaneOptions {
  readonly services: readonly Served[];
  readonly health: Readiness;
  readonly log: Log;
  /** Of one message, either way. */
  readonly messageBytesMax: number;
  /** Of one request that carries calls. */
  readonly valuesMax?: number;
  readonly queue?: QueueBounds;
  /** Finds out what a call's connection proves; without it nothing does. */
  readonly vouch?: GrpcVouch | undefined;
  /** Where very many callers are told something in their turns. */
  readonly crowd?: CrowdRoom;
  /** Where calls begin in theirs. */
  readonly begins?: BeginInTurns;
}

export interface GrpcLane {
  /** Serves a connection that somebody else has accepted, and asks it to leave when its peer should. */
  serve(socket: Parameters<ConnectionInjector["injectConnection"]>[0], peer: Peer): void;
  /**
   * Answers what was asked, lets streams end by themselves for half of the grace, then cuts those left. Each connection is
   * asked to leave, and closes once nothing is in flight on it; to drop it is up to who accepted it.
   */
  drain(graceMs: number): Promise<void>;
}

const limitsOfGrpcJs = {
  "grpc.enable_channelz": 0,
  "grpc.max_concurrent_streams": limits.connectionStreamsMax,
  "grpc.keepalive_time_ms": 60_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc.max_connection_idle_ms": 15 * 60_000,
} as const;

// grpc-js refuses what is larger than this by itself and without our detail; below it the lane refuses, with it.
const hardLimitFactor = 2;

// What is in flight may take so long to end on a connection whose peer should leave it.
const leaveWithinMs = 5_000;

const identity = (bytes: Buffer): Buffer => bytes;

/** The definition and handlers that grpc-js wants for one service. */
function adapt({ service, rpcs }: Served, rules: GrpcRules): [ServiceDefinition, UntypedServiceImplementation] {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const rpc of rpcs) {
    const { localName, name } = rpc.method;
    // On the wire one request is a stream of one, so a stream of answers needs no kind of its own.
    const streams = rpc.kind === "stream";
    definition[localName] = {
      path: `/${service.typeName}/${name}`,
      requestStream: streams,
      responseStream: streams,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    handlers[localName] = streams
      ? (raw: ServerDuplexStream<Buffer, Buffer>) => serveStream(raw, rpc, rules)
      : (raw: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>) => {
          serveUnary(raw, rpc, rules, respond).catch(rules.sink);
        };
  }
  return [definition, handlers];
}

/** grpc-js makes its servers of HTTP/2 itself, and hands them to nobody: what it makes them with is missing in its types. */
function beginCallsInTurns(server: Server, begins: BeginInTurns): void {
  const making = server as unknown as { createHttp2Server(credentials: ServerCredentials): Http2Serving };
  const make = making.createHttp2Server.bind(server);
  making.createHttp2Server = (credentials) => {
    const made = make(credentials);
    begins(made);
    return made;
  };
}

/** grpc-js writes to stderr by itself, whatever went wrong and whoever is to blame. */
function routeLog(log: Log): void {
  const warn = (...words: unknown[]) => log.warn({ lane: "grpc" }, words.map(String).join(" "));
  setLogger({ error: warn, info: () => {}, debug: () => {} });
}

/** Serves the given services over gRPC. */
export function createGrpcLane({
  services,
  health,
  log,
  messageBytesMax,
  valuesMax,
  queue,
  vouch,
  crowd = createCrowdRoom(),
  begins = createBeginning({ crowd }),
}: GrpcLaneOptions): GrpcLane {
  routeLog(log);
  const server = new Server({
    ...limitsOfGrpcJs,
    "grpc.max_receive_message_length": hardLimitFactor * messageBytesMax,
    "grpc.max_send_message_length": hardLimitFactor * messageBytesMax,
  });
  beginCallsInTurns(server, begins);
  const streams = createOpenStreams(crowd);
  // An injector a connection: only so can one be asked to leave.
  const served = new Set<ConnectionInjector>();
  const rules: GrpcRules = {
    messageBytesMax,
    valuesMax,
    queue: queue ?? queueBounds,
    ...{ streams, crowd },
    messages: createMessageRoom(),
    deadlines: createDeadlines(crowd),
    sink: logCauses(log),
    vouch,
  };
  let stopping = false;
  const names = services.map(({ service }) => service.typeName);
  for (const served of [...services, serveHealth(names, health, () => stopping)]) {
    server.addService(...adapt(served, rules));
  }

  return {
    serve(socket, peer) {
      const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
      served.add(injector);
      let dropping: NodeJS.Timeout | undefined;
      const stay = peer.whenLeaving(() => {
        injector.destroy();
        dropping ??= setTimeout(() => socket.destroy(), leaveWithinMs).unref();
      });
      socket.on("close", () => {
        stay();
        clearTimeout(dropping);
        served.delete(injector);
        injector.destroy();
      });
      injector.injectConnection(socket);
      if (stopping) injector.destroy();
    },
    async drain(graceMs) {
      stopping = true;
      // Despite its name `destroy` says good-bye and closes what is idle; `drain` would also end, in one piece, whatever is
      // left after a time.
      const toldToLeave = crowd.each(served, (injector) => injector.destroy());
      await Promise.all([streams.drain(streamGraceMs(graceMs)), toldToLeave]);
    },
  };
}
