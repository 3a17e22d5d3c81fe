import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import {
  AttachSchema,
  DecideFrameSchema,
  type DecideRequest,
  type DecideResponse,
  DetachSchema,
  type ExchangeRequest,
  ExchangeRequestSchema,
  type ExchangeResponse,
  ExchangeResponseSchema,
  type Notice,
  ReportFrameSchema,
  type ReportRequest,
  type ReportResponse,
} from "@remit/proto/decision";
import type { Connection } from "./connection.ts";
import type { RemitError } from "./errors.ts";
import { fromCallError, fromServiceError, transportError, unreadable } from "./rpc-error.ts";

// What the service takes on one stream; beyond it a frame would be refused.
const framesInFlightMax = 1000;

type RequestBody = Exclude<ExchangeRequest["body"], { case: undefined }>;
type ResponseBody = ExchangeResponse["body"];

/** One `Exchange` stream: frames are numbered, many are in flight, answers come in any order. */
export interface Exchange {
  /** Binds a session's token; answers its handle. */
  attach(token: string): Promise<number>;
  decide(handle: number, request: DecideRequest, signal?: AbortSignal): Promise<DecideResponse>;
  report(handle: number, request: ReportRequest, signal?: AbortSignal): Promise<ReportResponse>;
  /** Lets go of a handle; nobody waits for the answer. */
  detach(handle: number): void;
  /** Frames that have not been answered. */
  readonly inFlight: number;
  /** Whether anything has ever come back: a stream that was never answered may have been eaten by a proxy. */
  readonly proven: boolean;
  /** The header of the credential that it was opened with, once there was one. */
  header(): string | undefined;
  /** Counts what came back. */
  readonly received: number;
  /** Settles when no frame is in flight. */
  drained(): Promise<void>;
  /** Half-closes: nothing more is sent, answers still come. */
  finish(): void;
  /** Ends the stream now; what is in flight fails with this error. */
  cut(error: RemitError): void;
}

export interface ExchangeEvents {
  notice(notice: Notice): void;
  /** Called once. Undefined when the server ended the stream in good order. */
  ended(error: RemitError | undefined): void;
}

interface Pending {
  resolve(body: ResponseBody): void;
  reject(error: unknown): void;
}

/** The part of an answer that was wanted; throws what the frame was answered instead. */
function wanted<T>(body: ResponseBody, value: T | undefined): T {
  if (value !== undefined) return value;
  if (body.case === "error") throw fromCallError(body.value);
  throw unreadable(`a frame was answered with ${body.case ?? "something that this SDK does not know"}`);
}

/** The frames of one stream that wait for their answers. */
function createFrames() {
  const pending = new Map<bigint, Pending>();
  let drainers: (() => void)[] = [];
  let last = 0n;
  const drain = (): void => {
    if (pending.size > 0) return;
    for (const drained of drainers) drained();
    drainers = [];
  };
  return {
    drained: (): Promise<void> =>
      new Promise((resolve) => {
        drainers.push(resolve);
        drain();
      }),
    size: () => pending.size,
    open(write: (frame: bigint) => void, signal: AbortSignal | undefined): Promise<ResponseBody> {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const frame = ++last;
        const forget = (): void => {
          signal?.removeEventListener("abort", aborted);
          pending.delete(frame);
          drain();
        };
        const aborted = (): void => {
          reject(signal?.reason);
          forget();
        };
        const settle =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            then(value);
            forget();
          };
        pending.set(frame, { resolve: settle(resolve), reject: settle(reject) });
        signal?.addEventListener("abort", aborted, { once: true });
        write(frame);
      });
    },
    // An answer that nobody waits for any more, or that comes twice, is dropped.
    answer: (response: ExchangeResponse): void => pending.get(response.frame)?.resolve(response.body),
    failAll(error: unknown): void {
      for (const one of [...pending.values()]) one.reject(error);
    },
  };
}

/** Opens a stream on a connection. */
export function openExchange(connection: Connection, events: ExchangeEvents): Exchange {
  const frames = createFrames();
  const { stream, header } = connection.exchange();
  let over = false;
  let received = 0;

  const end = (error: RemitError | undefined): void => {
    if (over) return;
    over = true;
    // Whatever ended the stream, its calls can be asked again another way: nothing was said about any of them.
    frames.failAll(transportError(`the stream was cut: ${error?.message ?? "the server ended it"}`, error));
    events.ended(error);
  };
  const cut = (error: RemitError): void => {
    end(error);
    stream.cancel();
  };

  stream.on("data", (raw: Uint8Array) => {
    if (over) return;
    let response: ExchangeResponse;
    try {
      response = fromBinary(ExchangeResponseSchema, raw);
    } catch (cause) {
      // Whose answer it was cannot be known, so all are asked again elsewhere.
      return cut(transportError("the stream carried bytes that cannot be read", cause));
    }
    received++;
    if (response.body.case === "notice") events.notice(response.body.value);
    else frames.answer(response);
  });
  stream.on("error", (error: ServiceError) => end(fromServiceError(error)));
  stream.on("end", () => end(undefined));

  const send = async (body: RequestBody, signal?: AbortSignal): Promise<ResponseBody> => {
    if (over) throw transportError("the stream has ended");
    if (frames.size() >= framesInFlightMax)
      throw transportError(`${framesInFlightMax} frames are in flight on the stream`);
    return frames.open((frame) => {
      stream.write(toBinary(ExchangeRequestSchema, create(ExchangeRequestSchema, { frame, body })));
    }, signal);
  };

  return {
    attach: async (sessionToken) => {
      const body = await send({ case: "attach", value: create(AttachSchema, { sessionToken }) });
      return wanted(body, body.case === "attached" ? body.value.handle : undefined);
    },
    decide: async (handle, call, signal) => {
      const body = await send({ case: "decide", value: create(DecideFrameSchema, { handle, call }) }, signal);
      return wanted(body, body.case === "decided" ? body.value : undefined);
    },
    report: async (handle, report, signal) => {
      const body = await send({ case: "report", value: create(ReportFrameSchema, { handle, report }) }, signal);
      return wanted(body, body.case === "reported" ? body.value : undefined);
    },
    detach: (handle) => {
      send({ case: "detach", value: create(DetachSchema, { handle }) }).catch(() => {});
    },
    get inFlight() {
      return frames.size();
    },
    get proven() {
      return received > 0;
    },
    get received() {
      return received;
    },
    ...{ header, drained: frames.drained },
    finish: () => {
      if (!over) stream.end();
    },
    cut,
  };
}
