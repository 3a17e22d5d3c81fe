import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ErrorDetailSchema } from "@remit/proto/common";
import { type DecideResponse, DecisionService, Outcome } from "@remit/proto/decision";
import { SessionService } from "@remit/proto/session";
import type { TracedCall } from "./trace-line.ts";

/** A session of a run. */
export interface TraceSession {
  readonly id: string;
  readonly token: string;
  readonly tokenExpiresAtMs: number;
  /** No renewal reaches beyond it. */
  readonly expiresAtMs: number;
}

/** Asks the service the way an agent's process does: over its gRPC door, every answer recorded. */
export interface Asker {
  open(run: string, principal: string): Promise<TraceSession>;
  renew(session: TraceSession): Promise<TraceSession>;
  decide(session: TraceSession, call: TracedCall): Promise<DecideResponse>;
  report(session: TraceSession, decisionId: string, failed: boolean): Promise<void>;
}

const LONGEST_SESSION_SECONDS = 30 * 24 * 3600;
const TIMEOUT_MS = 30_000;
const constraints = ["timeout", "maxOutputBytes", "redactOutput", "requireIdempotencyKey"];

export function createAsker(target: { grpcAddress: string; apiKey: string; agent: string }): Asker {
  const credentials: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${target.apiKey}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: `http://${target.grpcAddress}`,
    interceptors: [credentials],
    defaultTimeoutMs: TIMEOUT_MS,
  });
  const sessions = createClient(SessionService, transport);
  const decisions = createClient(DecisionService, transport);
  const asking = (session: TraceSession) => ({ headers: { "remit-session": session.token } });
  const encoder = new TextEncoder();
  const bytes = (value: unknown) => encoder.encode(JSON.stringify(value));
  const opened = (answer: Awaited<ReturnType<typeof sessions.openSession | typeof sessions.renewSession>>) => ({
    id: answer.session?.id ?? "",
    token: answer.token,
    tokenExpiresAtMs: answer.tokenExpiresAt === undefined ? 0 : timestampMs(answer.tokenExpiresAt),
    expiresAtMs: answer.session?.expiresAt === undefined ? 0 : timestampMs(answer.session.expiresAt),
  });

  return {
    open: async (run, principal) =>
      opened(
        await sessions.openSession({
          agent: target.agent,
          onBehalfOf: { case: "principal", value: { id: principal } },
          purpose: `trace-run of ${run}`,
          maxLifetimeSeconds: LONGEST_SESSION_SECONDS,
        }),
      ),
    renew: async (session) => opened(await sessions.renewSession({ sessionId: session.id })),
    decide: async (session, call) =>
      await decisions.decide(
        {
          callId: `line-${call.line}`,
          tool: call.tool,
          input: { case: "inputJson", value: bytes(call.input) },
          context: { case: "contextJson", value: bytes(call.context) },
          supportedConstraints: constraints,
        },
        asking(session),
      ),
    report: async (session, decisionId, failed) => {
      const outcome = failed ? Outcome.FAILED : Outcome.SUCCEEDED;
      await decisions.report({ subject: { case: "decisionId", value: decisionId }, outcome }, asking(session));
    },
  };
}

/**
 * Why one call could not be decided, when the service looked at it and refused to: `request_invalid` and the like.
 * Undefined when the service itself is in trouble, which no other call would escape.
 */
export function refusal(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const ofTheCall = [Code.InvalidArgument, Code.OutOfRange, Code.ResourceExhausted, Code.FailedPrecondition];
  const [detail] = error.findDetails(ErrorDetailSchema);
  return ofTheCall.includes(error.code)
    ? { code: detail?.reason ?? Code[error.code], message: error.rawMessage }
    : undefined;
}
