import { type Connection, openConnection, type StreamEvents } from "../http2/connection.ts";
import type { Header } from "../http2/header-block.ts";
import { grpcMessage, idWriter, prepare } from "../http2/prepared.ts";
import { type Done, type Inspect, inspectEvery, type Target } from "./target.ts";

export type UnaryLane = "grpc" | "connect-json";

interface UnaryRequest {
  readonly path: string;
  readonly headers: readonly Header[];
  /** The encoded message; the placeholder in it becomes a fresh id in every call. */
  readonly body: Uint8Array;
}

export interface UnaryOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly lane: UnaryLane;
  /** Sent in turn. */
  readonly requests: readonly UnaryRequest[];
  readonly idPrefix: string;
  readonly inspect: Inspect;
}

/** Unary calls over HTTP/2 with prepared bodies. */
export async function openUnary(options: UnaryOptions): Promise<Target> {
  const grpc = options.lane === "grpc";
  const authority = `${options.host}:${options.port}`;
  const requests = options.requests.map((request) => ({
    headers: requestHeaders(options.lane, authority, request),
    prepared: prepare(grpc ? grpcMessage(request.body) : request.body),
  }));
  const writeId = idWriter(options.idPrefix);
  const problems: Record<string, number> = {};
  let fail: (reason: Error) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  lost.catch(() => {});
  const connections: Connection[] = [];
  for (let i = 0; i < options.connections; i += 1)
    connections.push(await openConnection(options.host, options.port, (reason) => fail(reason)));

  const note = (problem: string | undefined) => {
    if (problem !== undefined) problems[problem] = (problems[problem] ?? 0) + 1;
  };
  let turn = 0;
  // Calls that found their connection full; a caller's wait for a place is part of its latency.
  const waiting = connections.map((): (() => void)[] => []);
  return {
    lost,
    problems: () => problems,
    close() {
      for (const connection of connections) connection.close();
    },
    call(done) {
      const request = requests[turn % requests.length];
      const connection = connections[turn % connections.length];
      const queue = waiting[turn % connections.length];
      if (request === undefined || connection === undefined || queue === undefined) throw new Error("nothing to send");
      turn += 1;
      const look = turn % inspectEvery === 0;
      const answered = (failure?: string) => {
        queue.shift()?.();
        done(failure);
      };
      const send = () => {
        for (const at of request.prepared.idsAt) writeId(request.prepared.bytes, at);
        const events = answerOf(grpc, look, answered, (body) => note(options.inspect(body)));
        connection.send(connection.open(request.headers, events), request.prepared.bytes, true);
      };
      if (connection.full()) queue.push(send);
      else send();
    },
  };
}

function requestHeaders(lane: UnaryLane, authority: string, request: UnaryRequest): Header[] {
  const head: Header[] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", request.path],
    [":authority", authority],
  ];
  const kind: Header[] =
    lane === "grpc"
      ? [
          ["te", "trailers"],
          ["content-type", "application/grpc"],
        ]
      : [
          ["content-type", "application/json"],
          ["connect-protocol-version", "1"],
        ];
  return [...head, ...kind, ...request.headers];
}

/**
 * Follows one answer. gRPC answers an error without a message, so a stream that ends after status 200 and one whole
 * message is a good answer; Connect says it by the status.
 */
function answerOf(grpc: boolean, keep: boolean, done: Done, look: (body: Buffer) => void): StreamEvents {
  let status = false;
  let received = 0;
  const kept: Buffer[] = [];
  return {
    headers(statusOk) {
      status = statusOk;
    },
    data(payload) {
      received += payload.length;
      if (keep) kept.push(Buffer.from(payload));
    },
    end(reset) {
      const failure = reset
        ? "the stream was reset"
        : status && received >= (grpc ? 5 : 2)
          ? undefined
          : "an RPC error";
      if (keep && failure === undefined) {
        const body = Buffer.concat(kept);
        look(grpc ? body.subarray(5) : body);
      }
      done(failure);
    },
  };
}
