import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";
import { ErrorDetailSchema } from "@remit/proto/common";
import { type CallError, CallErrorSchema } from "@remit/proto/decision";
import { StatusSchema } from "@remit/proto/status";
import { Fault, type FaultKind, type FaultReason } from "../foundation/fault.ts";
import type { Log } from "../foundation/log.ts";

/** The canonical codes of google.rpc.Code by kind; Connect and gRPC number them alike. */
export const statusCodes: Readonly<Record<FaultKind | "cancelled", number>> = {
  cancelled: 1,
  invalid: 3,
  timeout: 4,
  missing: 5,
  conflict: 6,
  forbidden: 7,
  exhausted: 8,
  precondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

// Both lanes put the message into a header, and many peers take no more than 8 KiB of headers in all.
const messageCharsMax = 1000;
const detailCharsMax = 500;

// A header can hold neither a lone surrogate nor an endless text, whatever a caller made us quote.
function fit(text: string, charsMax: number): string {
  return (text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`).toWellFormed();
}

/** An error as a caller may see it: nothing of its cause. */
interface Shown {
  readonly code: number;
  readonly message: string;
  readonly detail: MessageInitShape<typeof ErrorDetailSchema>;
}

function isHangUp(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

const unexpected: Shown = {
  code: statusCodes.internal,
  message: "something went wrong inside the service; its log says what",
  detail: { reason: "internal" satisfies FaultReason },
};
const hungUp: Shown = {
  code: statusCodes.cancelled,
  message: "the caller hung up",
  detail: { reason: "cancelled" satisfies FaultReason },
};

function show(error: unknown): Shown {
  if (isHangUp(error)) return hungUp;
  if (!(error instanceof Fault)) return unexpected;
  const { field = "", limit = "", fix = "" } = error.detail;
  return {
    code: statusCodes[error.kind],
    message: fit(error.message, messageCharsMax),
    detail: {
      reason: error.reason,
      field: fit(field, detailCharsMax),
      limit: fit(limit, detailCharsMax),
      fix: fit(fix, detailCharsMax),
      retryable: error.retryable,
    },
  };
}

/** Where causes go, which no caller may see. */
export type CauseSink = (error: unknown) => void;

const causesPerReasonMs = 1000;

/**
 * Logs what callers are not shown: each internal error, and of the other faults that have a cause at most one a second
 * for each reason, since an outage fails every call alike.
 */
export function logCauses(log: Log, now: () => number = Date.now): CauseSink {
  const last = new Map<string, number>();
  return (error) => {
    if (isHangUp(error)) return;
    if (!(error instanceof Fault) || error.kind === "internal") {
      log.error({ err: error instanceof Fault ? (error.cause ?? error) : error }, "a call failed inside the service");
      return;
    }
    if (error.cause === undefined) return;
    const at = now();
    if (at - (last.get(error.reason) ?? Number.NEGATIVE_INFINITY) < causesPerReasonMs) return;
    last.set(error.reason, at);
    log.warn({ err: error.cause, reason: error.reason }, error.message);
  };
}

/** The error of one item of a batch or one frame of a stream. Without a sink its cause is lost. */
export function toCallError(error: unknown, sink?: CauseSink): CallError {
  sink?.(error);
  return create(CallErrorSchema, show(error));
}

/** The error of a call on the Connect lane. Its detail is readable in JSON as `details[0].debug`. */
export function toConnectError(error: unknown, sink: CauseSink): ConnectError {
  if (error instanceof ConnectError) return error;
  sink(error);
  const { code, message, detail } = show(error);
  return new ConnectError(message, code as Code, undefined, [{ desc: ErrorDetailSchema, value: detail }]);
}

/** What `@grpc/grpc-js` takes as the error of a call. */
export interface GrpcError {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The error of a call on the gRPC lane: google.rpc.Status in `grpc-status-details-bin`. */
export function toGrpcError(error: unknown, sink: CauseSink): GrpcError {
  sink(error);
  const { code, message, detail } = show(error);
  const packed = anyPack(ErrorDetailSchema, create(ErrorDetailSchema, detail));
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [packed] }));
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status));
  return { code, details: message, metadata };
}
