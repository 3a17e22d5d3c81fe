import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type ErrorDetail, ErrorDetailSchema } from "@remit/proto/common";
import type { CallError } from "@remit/proto/decision";
import { StatusSchema } from "@remit/proto/status";
import { RemitError } from "./errors.ts";

// How grpc-js begins the error of a call that found no connection.
const noConnection = "No connection established";

// What is worth another try when nothing but the transport has spoken: a proxy, a dying peer, a full queue.
const transportStatuses: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

function detailOf(metadata: Metadata | undefined): ErrorDetail | undefined {
  const [packed] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!(packed instanceof Uint8Array)) return undefined;
  try {
    for (const any of fromBinary(StatusSchema, packed).details) {
      const detail = anyUnpack(any, ErrorDetailSchema);
      if (detail) return detail;
    }
  } catch {
    // A detail that cannot be read is no detail: the status stands.
  }
  return undefined;
}

function build(code: number, message: string, detail: ErrorDetail | undefined, cause?: unknown): RemitError {
  const name = status[code] ?? "UNKNOWN";
  if (!detail) {
    return new RemitError(message || name, {
      status: name,
      reason: "transport",
      retryable: transportStatuses.has(code),
      cause,
    });
  }
  const { reason, field, limit, fix, retryable } = detail;
  return new RemitError(fix === "" ? message : `${message}: ${fix}`, {
    status: name,
    reason,
    field,
    limit,
    fix,
    retryable,
  });
}

// What OpenSSL says of a peer that answers in clear text.
const notTls = /wrong version number|packet length too long|record layer failure/i;

/** The error of a unary call or of a whole stream. */
export function fromServiceError(error: ServiceError): RemitError {
  const text = error.details || error.message;
  const said = notTls.test(text) ? `${text}: the address does not speak TLS; behind a mesh say tls: "insecure"` : text;
  return build(error.code, said, detailOf(error.metadata), error);
}

/** The error of one frame of a stream. */
export function fromCallError(error: CallError): RemitError {
  return build(error.code, error.message, error.detail);
}

/** An error of our own about the way to Remit: worth another try. */
export function transportError(message: string, cause?: unknown): RemitError {
  return new RemitError(message, { status: "UNAVAILABLE", reason: "transport", retryable: true, cause });
}

/** An answer that cannot be read. Asking again would be answered alike. */
export function unreadable(message: string, cause?: unknown): RemitError {
  return new RemitError(message, { status: "DATA_LOSS", reason: "answer_invalid", retryable: false, cause });
}

/** Whether Remit itself spoke, rather than something on the way. */
export function isAnswered(error: unknown): error is RemitError {
  return error instanceof RemitError && error.reason !== "transport" && error.reason !== "answer_invalid";
}

// The request certainly never left this machine: there was no connection to send it on.
function neverSent(error: unknown): boolean {
  if (!(error instanceof RemitError) || error.reason !== "transport") return false;
  return error.message.startsWith(noConnection) || neverSent(error.cause);
}

// Remit's own words after which the decision may have been recorded all the same.
const openStatuses: ReadonlySet<string> = new Set(["CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL"]);

/** Whether a Decide or Report that failed with this error certainly left no record behind, and never will. */
export function decidedNothing(error: unknown): boolean {
  return neverSent(error) || (isAnswered(error) && !openStatuses.has(error.status));
}

/** Whether the peer could not be reached, or said that it cannot serve just now: another one may. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof RemitError && error.status === "UNAVAILABLE";
}

/** Whether what says who this process is was not taken: it ended, or its issuer's keys have changed. */
export function isCallerRefused(error: unknown): boolean {
  return error instanceof RemitError && error.status === "UNAUTHENTICATED" && error.field === "authorization";
}

/** Whether the session's token has run out. */
export function isExpired(error: unknown): boolean {
  return error instanceof RemitError && error.reason === "token_expired" && !isCallerRefused(error);
}

/** Whether something on the way spoke instead of Remit, or nobody did. */
export function isTransport(error: unknown): boolean {
  return error instanceof RemitError && error.reason === "transport";
}

/** Whether nothing at all was answered in the time that a try had. */
export function isTimeout(error: unknown): boolean {
  return error instanceof RemitError && error.reason === "transport" && error.status === "DEADLINE_EXCEEDED";
}

export function isRetryable(error: unknown): boolean {
  return error instanceof RemitError && error.retryable;
}
