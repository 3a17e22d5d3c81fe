import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema } from "@remit/proto/common";
import { proposedBy, proposedLines } from "./proposing.ts";
import { type ExitCode, exitCodes, Stop } from "./stop.ts";

/** What a command that failed says, and ends with. */
export interface Failure {
  readonly code: ExitCode;
  readonly lines: readonly string[];
}

const AWAY: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Internal,
  Code.Unknown,
  Code.Unimplemented,
  Code.Canceled,
]);

function codeFor(code: Code): ExitCode {
  if (code === Code.InvalidArgument || code === Code.OutOfRange) return exitCodes.usage;
  return AWAY.has(code) ? exitCodes.unavailable : exitCodes.no;
}

// What Node says of a peer that answers in clear text, of one that speaks TLS, and of certificates that it does not take.
const connectionFixes: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|packet length too long/i,
    "the address does not speak TLS: write it without https://, and leave REMIT_TLS_* unset",
  ],
  [
    /speaks TLS|INADEQUATE_SECURITY|Parse Error|HTTP\/1\.1 400|Protocol error/i,
    "does the address speak TLS? Write it with https://, or name who vouches for it in REMIT_TLS_TRUST_FILE",
  ],
  [
    /certificate required|handshake failure/i,
    "the service asks for a certificate: set REMIT_TLS_CERTIFICATE_FILE and REMIT_TLS_KEY_FILE",
  ],
  [
    /certificate|altname|self.signed|issuer/i,
    "name who vouches for the service in REMIT_TLS_TRUST_FILE, and the service as its certificate does",
  ],
];
const START = "start one with `remit serve`, or set REMIT_ADDRESS and REMIT_ADMIN_ADDRESS to where it listens";

// Without a detail the service never saw the request: the connection itself failed.
function unreachable(error: ConnectError): string[] {
  const cause = error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.rawMessage;
  const [, fix = START] = connectionFixes.find(([pattern]) => pattern.test(cause)) ?? [];
  return [`error: the service did not answer: ${cause}`, `  fix: ${fix}`];
}

function ofService(error: ConnectError): Failure {
  const code = codeFor(error.code);
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail === undefined) {
    return { code, lines: AWAY.has(error.code) ? unreachable(error) : [`error: ${error.rawMessage}`] };
  }
  const lines = [`error: ${error.rawMessage} (${detail.reason})`];
  if (detail.field !== "") lines.push(`  field: ${detail.field}`);
  if (detail.limit !== "") lines.push(`  limit: ${detail.limit}`);
  if (detail.fix !== "") lines.push(`  fix: ${detail.fix}`);
  if (detail.retryable) lines.push("  the same request may pass later");
  return { code, lines };
}

/** Puts anything that was thrown into words. A defect of ours keeps its stack: it is a bug to report. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Stop) {
    const fix = error.fix === undefined ? [] : [`  fix: ${error.fix}`];
    return { code: error.code, lines: [`error: ${error.message}`, ...fix] };
  }
  const proposed = proposedBy(error);
  if (proposed) return { code: exitCodes.no, lines: proposedLines(proposed.change) };
  if (error instanceof ConnectError) return ofService(error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: exitCodes.unavailable, lines: [`error: remit failed: ${text}`] };
}
