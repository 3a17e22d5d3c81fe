import { create, type DescMessage, fromBinary, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import {
  type DecideRequest,
  type DecideResponse,
  DecisionService,
  type ExchangeRequest,
  ExchangeRequestSchema,
  type ExchangeResponse,
  ExchangeResponseSchema,
  type NoticeSchema,
  type ReportRequest,
  type ReportResponse,
  ReportResponseSchema,
} from "@remit/proto/decision";
import { Health, HealthCheckResponse_ServingStatus, HealthCheckResponseSchema } from "@remit/proto/health";
import {
  CloseSessionResponseSchema,
  type OpenSessionRequest,
  type OpenSessionResponse,
  RenewSessionResponseSchema,
  SessionService,
} from "@remit/proto/session";
import { allow, encoded, type Failure, isFailure, serviceError, sessionAnswer } from "./answers.ts";

/** A request as it arrived. */
interface Seen<Request> {
  readonly request: Request;
  readonly via: "stream" | "unary";
  /** The stream's number, from 0; -1 on unary calls. */
  readonly stream: number;
  /** Which TCP connection it came on. */
  readonly peer: string;
  readonly token: string;
  /** The request's number among all of its kind, from 0. */
  readonly n: number;
}

/** What a test answers: a response, an error, or nothing at all. */
type Scripted<Response> = Response | { readonly fail: Failure } | "silence";
type Script<Request, Response> = (seen: Seen<Request>) => Scripted<Response> | Promise<Scripted<Response>>;

interface FakeStream {
  readonly peer: string;
  /** Tokens attached, by handle. */
  readonly handles: Map<number, string>;
  /** True once the client half-closed. */
  readonly finished: boolean;
  /** Frames answered twice from now on. */
  answerTwice: boolean;
  notice(body: MessageInitShape<typeof NoticeSchema>["body"]): void;
  /** Ends the stream with an error. */
  cut(code: number): void;
  /** Ends it in good order. */
  end(): void;
  raw(bytes: Uint8Array): void;
  handleOf(token: string): number;
}

export interface FakeServer {
  readonly address: string;
  readonly decides: Seen<DecideRequest>[];
  readonly reports: Seen<ReportRequest>[];
  readonly openings: OpenSessionRequest[];
  readonly renewals: string[];
  readonly closings: string[];
  readonly streams: FakeStream[];
  readonly keys: Set<string>;
  onDecide: Script<DecideRequest, DecideResponse>;
  onReport: Script<ReportRequest, ReportResponse>;
  onOpen: (request: OpenSessionRequest) => OpenSessionResponse | { readonly fail: Failure };
  onRenew: (sessionId: string) => OpenSessionResponse | { readonly fail: Failure };
  /** What an attach is answered: a handle by default. */
  onAttach: (token: string) => Failure | "silence" | undefined;
  /** Set before the first stream: streams end at once with this status. */
  streamStatus: number | undefined;
  serving: boolean;
  readonly key: string;
  stop(): void;
}

const raw = (value: Buffer): Buffer => value;
const definition = (path: string, streaming: boolean): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: streaming,
  responseStream: streaming,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});

function serveUnary<I extends DescMessage, O extends DescMessage>(
  fake: FakeServer,
  method: {
    readonly name: string;
    readonly input: I;
    readonly output: O;
    readonly parent: { readonly typeName: string };
  },
  answer: (request: MessageShape<I>, token: string, peer: string) => Promise<Scripted<MessageShape<O>>>,
) {
  const handler = async (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): Promise<void> => {
    const [authorization] = call.metadata.get("authorization");
    if (!fake.keys.has(String(authorization).replace("Bearer ", ""))) {
      callback(serviceError({ code: 16, message: "the API key is not known", reason: "token_invalid" }));
      return;
    }
    const [token = ""] = call.metadata.get("remit-session");
    const answered = await answer(fromBinary(method.input, call.request), String(token), call.getPeer());
    if (answered === "silence") return;
    if (isFailure(answered)) callback(serviceError(answered.fail));
    else callback(null, encoded(method.output, answered));
  };
  return { definition: definition(`/${method.parent.typeName}/${method.name}`, false), handler };
}

type Call = ServerDuplexStream<Buffer, Buffer>;

interface Answers {
  decide(seen: Omit<Seen<DecideRequest>, "n">): Promise<Scripted<DecideResponse>>;
  report(seen: Omit<Seen<ReportRequest>, "n">): Promise<Scripted<ReportResponse>>;
}

function serveStream(fake: FakeServer, answers: Answers, call: Call): void {
  if (fake.streamStatus !== undefined) {
    call.emit("error", serviceError({ code: fake.streamStatus, message: "no streams here" }));
    return;
  }
  const number = fake.streams.length;
  const say = (body: ExchangeResponse["body"], frame: bigint): void => {
    call.write(encoded(ExchangeResponseSchema, create(ExchangeResponseSchema, { frame, body })));
  };
  const state = { finished: false };
  const stream: FakeStream = {
    peer: call.getPeer(),
    handles: new Map(),
    answerTwice: false,
    get finished() {
      return state.finished;
    },
    notice: (body) =>
      call.write(
        encoded(
          ExchangeResponseSchema,
          create(ExchangeResponseSchema, { body: { case: "notice", value: { body } } } as never),
        ),
      ),
    cut: (code) => call.emit("error", serviceError({ code, message: "cut" })),
    end: () => call.end(),
    raw: (bytes) => call.write(Buffer.from(bytes)),
    handleOf: (token) => [...stream.handles].findLast(([, one]) => one === token)?.[0] ?? -1,
  };
  fake.streams.push(stream);

  const answer = <T>(frame: bigint, scripted: Scripted<T>, body: (value: T) => ExchangeResponse["body"]): void => {
    if (scripted === "silence") return;
    const failed = (failure: Failure) =>
      create(ExchangeResponseSchema, {
        body: {
          case: "error",
          value: {
            code: failure.code,
            message: failure.message,
            detail: { reason: failure.reason ?? "", retryable: failure.retryable ?? false },
          },
        },
      }).body;
    const times = stream.answerTwice ? 2 : 1;
    for (let time = 0; time < times; time++)
      say(isFailure(scripted) ? failed(scripted.fail) : body(scripted as T), frame);
  };
  const receive = async ({ frame, body }: ExchangeRequest): Promise<void> => {
    const base = { via: "stream", stream: number, peer: stream.peer } as const;
    const tokenOf = (handle: number): string => stream.handles.get(handle) ?? "";
    if (body.case === "attach") {
      const failure = fake.onAttach(body.value.sessionToken);
      if (failure === "silence") return;
      if (failure) return answer(frame, { fail: failure }, () => ({ case: undefined }));
      const handle = stream.handles.size + 1;
      stream.handles.set(handle, body.value.sessionToken);
      say({ case: "attached", value: { $typeName: "remit.v1.Attached", handle } }, frame);
    }
    if (body.case === "decide" && body.value.call) {
      const token = tokenOf(body.value.handle);
      const answered = await answers.decide({ ...base, request: body.value.call, token });
      answer(frame, answered, (value) => ({ case: "decided", value }));
    }
    if (body.case === "report" && body.value.report) {
      const token = tokenOf(body.value.handle);
      const answered = await answers.report({ ...base, request: body.value.report, token });
      answer(frame, answered, (value) => ({ case: "reported", value }));
    }
  };
  call.on("data", (bytes: Buffer) => void receive(fromBinary(ExchangeRequestSchema, bytes)));
  call.on("end", () => {
    state.finished = true;
    call.end();
  });
  call.on("error", () => {});
}

/** A Remit that says whatever a test wants it to say. Port 0 unless one is named. */
export async function startFake(port = 0): Promise<FakeServer> {
  const server = new Server();
  const fake: FakeServer = {
    address: "",
    key: "rmt_test",
    keys: new Set(["rmt_test"]),
    decides: [],
    reports: [],
    openings: [],
    renewals: [],
    closings: [],
    streams: [],
    streamStatus: undefined,
    serving: true,
    onDecide: ({ request }) => allow(request),
    onReport: ({ request }) =>
      create(ReportResponseSchema, {
        decisionId: request.subject.value ?? "",
        outcome: request.outcome,
        inputMatches: true,
      }),
    onOpen: (request) =>
      sessionAnswer(`session-${request.runId}`, `token-${request.runId}-1`, Date.UTC(2026, 10, 21, 1)),
    onRenew: (id) =>
      sessionAnswer(id, `token-${id}-${fake.renewals.length + 1}`, Date.UTC(2026, 10, 21, 1 + fake.renewals.length)),
    onAttach: () => undefined,
    stop: () => server.forceShutdown(),
  };
  const answers: Answers = {
    decide: async (seen) => {
      const whole = { ...seen, n: fake.decides.length };
      fake.decides.push(whole);
      return fake.onDecide(whole);
    },
    report: async (seen) => {
      const whole = { ...seen, n: fake.reports.length };
      fake.reports.push(whole);
      return fake.onReport(whole);
    },
  };
  const unarySeen = (peer: string, token: string) => ({ via: "unary", stream: -1, peer, token }) as const;
  const rpcs = {
    decide: serveUnary(fake, DecisionService.method.decide, (request, token, peer) =>
      answers.decide({ ...unarySeen(peer, token), request }),
    ),
    report: serveUnary(fake, DecisionService.method.report, (request, token, peer) =>
      answers.report({ ...unarySeen(peer, token), request }),
    ),
    openSession: serveUnary(fake, SessionService.method.openSession, async (request) => {
      fake.openings.push(request);
      return fake.onOpen(request);
    }),
    renewSession: serveUnary(fake, SessionService.method.renewSession, async ({ sessionId }) => {
      fake.renewals.push(sessionId);
      const renewed = fake.onRenew(sessionId);
      if (isFailure(renewed)) return renewed;
      const { session, token, tokenExpiresAt } = renewed;
      return create(RenewSessionResponseSchema, {
        token,
        ...(session && { session }),
        ...(tokenExpiresAt && { tokenExpiresAt }),
      });
    }),
    closeSession: serveUnary(fake, SessionService.method.closeSession, async ({ sessionId }) => {
      fake.closings.push(sessionId);
      return create(CloseSessionResponseSchema);
    }),
    getSession: serveUnary(fake, SessionService.method.getSession, async () => ({
      fail: { code: 5, message: "there is no such session", reason: "session_unknown" },
    })),
    check: serveUnary(fake, Health.method.check, async () => {
      const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
      return create(HealthCheckResponseSchema, { status: fake.serving ? SERVING : NOT_SERVING });
    }),
  };
  const definitions = Object.fromEntries(Object.entries(rpcs).map(([name, rpc]) => [name, rpc.definition]));
  const handlers = Object.fromEntries(Object.entries(rpcs).map(([name, rpc]) => [name, rpc.handler]));
  const exchange = definition(`/${DecisionService.typeName}/Exchange`, true);
  server.addService({ ...definitions, exchange }, {
    ...handlers,
    exchange: (call: Call) => serveStream(fake, answers, call),
  } as never);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  return Object.assign(fake, { address: `127.0.0.1:${bound}` });
}
