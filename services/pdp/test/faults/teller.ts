import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { credentials, Client as GrpcClient, type Metadata } from "@grpc/grpc-js";
import {
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  ReportRequestSchema,
  type ReportResponse,
  ReportResponseSchema,
} from "@remit/proto/decision";

/** What callers ask of one address, over gRPC. Rejects with a gRPC error. */
export interface Teller {
  decide(asked: MessageInitShape<typeof DecideRequestSchema>, session: Metadata): Promise<DecideResponse>;
  report(told: MessageInitShape<typeof ReportRequestSchema>, session: Metadata): Promise<ReportResponse>;
}

// Impatient, so that a member that serves again is asked again.
const CHANNEL = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 200 };
const TIMEOUT_MS = 1_500;

/** A connection of its own to an address: balanced addresses lead each connection to a member. */
export function tellerAt(address: string): Teller {
  const client = new GrpcClient(address, credentials.createInsecure(), {
    ...{ ...CHANNEL, "grpc.use_local_subchannel_pool": 1 },
  });
  const unary = <Answer>(method: string, bytes: Buffer, read: (bytes: Buffer) => Answer, session: Metadata) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const done = (error: Error | null, answer?: Answer) => (answer ? resolve(answer) : reject(error));
    const options = { deadline: Date.now() + TIMEOUT_MS };
    client.makeUnaryRequest(`/remit.v1.DecisionService/${method}`, () => bytes, read, null, session, options, done);
    return promise;
  };
  return {
    decide: (asked, session) => {
      const bytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, asked));
      return unary("Decide", Buffer.from(bytes), (read) => fromBinary(DecideResponseSchema, read), session);
    },
    report: (told, session) => {
      const bytes = toBinary(ReportRequestSchema, create(ReportRequestSchema, told));
      return unary("Report", Buffer.from(bytes), (read) => fromBinary(ReportResponseSchema, read), session);
    },
  };
}
