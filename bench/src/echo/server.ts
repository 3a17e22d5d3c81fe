// The echo of each lane: what the transport costs when nothing is decided. Decodes a Decide request as the service must,
// answers a decision that was made up beforehand, and encodes it anew for every call. Prints its addresses and serves
// until its standard input ends.
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import {
  DecideRequestSchema,
  DecideResponseSchema,
  DecisionService,
  ExchangeRequestSchema,
  ExchangeResponseSchema,
} from "@remit/proto/decision";
import { cannedDecision } from "./messages.ts";

/** The line that this process prints once it serves. */
export interface EchoAddresses {
  readonly grpcPort: number;
  readonly connectPort: number;
}

const decision = create(DecideResponseSchema, cannedDecision());
const identity = (bytes: Buffer) => bytes;
const raw = { requestSerialize: identity, requestDeserialize: identity } as const;
const rawAnswers = { responseSerialize: identity, responseDeserialize: identity } as const;

const decisionService: ServiceDefinition = {
  decide: {
    path: "/remit.v1.DecisionService/Decide",
    requestStream: false,
    responseStream: false,
    ...raw,
    ...rawAnswers,
  },
  exchange: {
    path: "/remit.v1.DecisionService/Exchange",
    requestStream: true,
    responseStream: true,
    ...raw,
    ...rawAnswers,
  },
};

const decide: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  fromBinary(DecideRequestSchema, call.request);
  answer(null, Buffer.from(toBinary(DecideResponseSchema, decision)));
};

const exchange: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on("data", (bytes: Buffer) => {
    const { frame, body } = fromBinary(ExchangeRequestSchema, bytes);
    const answered =
      body.case === "attach"
        ? ({ case: "attached", value: { handle: 1 } } as const)
        : ({ case: "decided", value: decision } as const);
    const answer = create(ExchangeResponseSchema, { frame, body: answered });
    call.write(Buffer.from(toBinary(ExchangeResponseSchema, answer)));
  });
  call.on("end", () => call.end());
};

function serveGrpc(): Promise<number> {
  const server = new Server();
  server.addService(decisionService, { decide, exchange });
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

function serveConnect(): Promise<number> {
  const handler = connectNodeAdapter({
    routes: (router) => router.service(DecisionService, { decide: () => decision }),
  });
  const server = createServer(handler);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const addresses: EchoAddresses = { grpcPort: await serveGrpc(), connectPort: await serveConnect() };
process.stdout.write(`${JSON.stringify(addresses)}\n`);
process.stdin.resume();
process.stdin.once("end", () => process.exit(0));
