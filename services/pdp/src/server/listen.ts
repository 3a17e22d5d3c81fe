import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { cannotListen, type HostPort } from "../foundation/address.ts";
import { type CrowdRoom, createCrowdRoom } from "../foundation/crowd-room.ts";
import { limits } from "../foundation/limits.ts";
import type { Log } from "../foundation/log.ts";
import { type BeginInTurns, createBeginning } from "../wire/lanes/begin-in-turns.ts";
import type { MakeFront } from "./tls/front.ts";
import { peerOfSocket } from "./tls/peers.ts";

/** Answers one request, whichever version of HTTP it came by. `connectNodeAdapter` makes one. */
export type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  // The adapter's own view of a response differs from Node's in how `write` is typed, and only there.
  response: Parameters<ReturnType<typeof import("@connectrpc/connect-node").connectNodeAdapter>>[1],
) => void;

export interface ListenOptions {
  readonly address: HostPort;
  /** What an operator sets to move it: `REMIT_HTTP_ADDRESS`. */
  readonly variable: string;
  readonly handler: Handler;
  readonly log: Log;
  /** What stands before it: TLS, or who may connect at all. */
  readonly front?: MakeFront | undefined;
  readonly timings?: Partial<Timings>;
  /** Where connections end in their turns. */
  readonly crowd?: CrowdRoom;
  /** Where calls over HTTP/2 begin in theirs. */
  readonly begins?: BeginInTurns;
}

/** How long a peer may take before its connection is closed. */
export interface Timings {
  /** From connecting to the first bytes, and from there to the end of a request's headers. */
  readonly headersMs: number;
  /** From the start of a request to the end of its body, over HTTP/1.1. */
  readonly requestMs: number;
  /** Without any request. */
  readonly idleMs: number;
}

export interface Listener {
  /** With the real port, where 0 was asked for. */
  readonly address: HostPort;
  /** Stops accepting, lets what is in flight finish, and drops every connection once the grace is over. */
  close(graceMs: number): Promise<void>;
}

const defaultTimings: Timings = { headersMs: 10_000, requestMs: 30_000, idleMs: 60_000 };
/** Of one listener. */
export const connectionsMax = 10_000;
const checkEveryMs = 1_000;

// How every HTTP/2 connection begins, and no request of HTTP/1.1.
const http2Preface = Buffer.from("PRI");

/**
 * Looks at what a connection begins with and hands it on: true for HTTP/2. A peer that says nothing in time is dropped.
 */
function sniff(socket: Socket, withinMs: number, handOn: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const silent = setTimeout(() => socket.destroy(), withinMs);
  socket.on("close", () => clearTimeout(silent));
  const look = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, http2Preface.length);
    const isHttp2 = seen.subarray(0, compared).equals(http2Preface.subarray(0, compared));
    if (isHttp2 && compared < http2Preface.length) return;
    socket.off("readable", look);
    clearTimeout(silent);
    socket.unshift(seen);
    handOn(isHttp2);
  };
  socket.on("readable", look);
}

// What a peer sends can make the adapter throw before there is a call: a Host header that is no host, or none at all.
function guarded(handler: Handler, log: Log): Handler {
  return (request, response) => {
    try {
      handler(request, response);
    } catch (error) {
      log.warn({ err: error }, "a request could not be read");
      if (!response.headersSent) response.writeHead(400);
      response.end();
    }
  };
}

/** Requests that say in their turns that they are closed: each ends signals, and whoever waits for them. */
function closingInTurns(crowd: CrowdRoom): typeof Http2ServerRequest {
  return class extends Http2ServerRequest {
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event !== "close") return super.emit(event, ...args);
      crowd.come(() => super.emit(event, ...args));
      return true;
    }
  };
}

/** HTTP/2 connections: closed when idle, told to go away when the server stops. */
function serveHttp2(handler: Handler, idleMs: number, crowd: CrowdRoom, begins: BeginInTurns) {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server({
    settings: { maxConcurrentStreams: limits.connectionStreamsMax },
    Http2ServerRequest: closingInTurns(crowd),
  });
  server.on("request", (request: Http2ServerRequest, response: Http2ServerResponse) => handler(request, response));
  const callsOn = begins(server);
  server.on("session", (session) => {
    sessions.add(session);
    session.setTimeout(idleMs, () => {
      if (callsOn(session) === 0) session.close();
    });
    const stay = peerOfSocket(session.socket).whenLeaving(() => session.close());
    session.on("close", () => {
      stay();
      sessions.delete(session);
    });
  });
  return {
    accept: (socket: Socket) => void server.emit("connection", socket),
    goAway: () => crowd.each(sessions, (session) => session.close()),
  };
}

/** HTTP/1.1 on the server that listens. While it stops, each answer closes its connection. */
function closingAnswers(server: Server) {
  const inFlight = new Set<ServerResponse>();
  let closing = false;
  server.prependListener("request", (_, response: ServerResponse) => {
    if (closing) response.setHeader("connection", "close");
    inFlight.add(response);
    response.on("close", () => inFlight.delete(response));
  });
  return () => {
    closing = true;
    for (const response of inFlight) if (!response.headersSent) response.setHeader("connection", "close");
  };
}

/** Listens; answers the address with its real port. */
export function bind(server: NetServer, { host, port }: HostPort, variable: string): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(cannotListen({ host, port }, variable, error));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      resolve({ host, port: (server.address() as AddressInfo).port });
    });
  });
}

/** Takes no more connections and waits for those that are there; what is left after `graceMs` is dropped. */
export function closeWithin(
  server: NetServer,
  sockets: ReadonlySet<Socket>,
  graceMs: number,
  crowd: CrowdRoom,
): Promise<void> {
  return new Promise((resolve) => {
    const drop = () => void crowd.each(sockets, (socket) => socket.destroy());
    const dropping = setTimeout(drop, graceMs);
    server.close(() => {
      clearTimeout(dropping);
      resolve();
    });
  });
}

/** Listens on one port that speaks HTTP/1.1 and HTTP/2 to whoever begins with either, or settles on it in TLS. */
export async function listen({
  address,
  variable,
  handler,
  log,
  front,
  timings,
  crowd = createCrowdRoom(),
  begins = createBeginning({ crowd }),
}: ListenOptions): Promise<Listener> {
  const { headersMs, requestMs, idleMs } = { ...defaultTimings, ...timings };
  const safe = guarded(handler, log);
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: checkEveryMs,
  });
  server.maxConnections = connectionsMax;
  const http2 = serveHttp2(safe, idleMs, crowd, begins);
  const stopKeepingAlive = closingAnswers(server);
  server.on("request", (request, response) => safe(request, response));

  // Node's own way to serve HTTP/1.1 on a socket, now reached through a look at its first bytes.
  const serveHttp1 = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const speak = (socket: Socket, isHttp2: boolean) => {
    if (isHttp2) {
      // As a server of HTTP/1.1 accepts it, it would stay open on our side for a peer that is gone, with all its streams.
      socket.allowHalfOpen = false;
      http2.accept(socket);
    } else {
      for (const serve of serveHttp1) serve.call(server, socket);
    }
  };
  const begin = (socket: Socket) => {
    if (socket instanceof TLSSocket) return speak(socket, socket.alpnProtocol === "h2");
    sniff(socket, headersMs, (isHttp2) => speak(socket, isHttp2));
  };
  const accept = front?.(["h2", "http/1.1"], begin) ?? begin;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    undecided.add(socket);
    socket.once("readable", () => undecided.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      undecided.delete(socket);
    });
    accept(socket);
  });
  const bound = await bind(server, address, variable);
  server.on("error", (error) => log.error({ err: error }, "a listener failed"));

  return {
    address: bound,
    close(graceMs) {
      stopKeepingAlive();
      const closed = closeWithin(server, sockets, graceMs, crowd);
      for (const socket of undecided) socket.destroy();
      void http2.goAway();
      return closed;
    },
  };
}
