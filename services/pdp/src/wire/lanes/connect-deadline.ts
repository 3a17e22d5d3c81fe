import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { parseTimeout as parseConnect } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpc } from "@connectrpc/connect/protocol-grpc";
import type { Deadlines } from "./deadlines.ts";

// The router would end each call at its deadline in a timer of its own, and thousands in one turn. So it is told of none,
// and a signal of ours ends the call as its own would.

/** When a request's caller gives up, and the signal that ends the call then, or once its peer hangs up. */
interface Taken {
  readonly atMs: number;
  readonly signal: AbortSignal;
}

/** Takes the deadline out of a request's headers; undefined for none, and for one that the router has to refuse. */
export function takeDeadline(
  request: Pick<UniversalServerRequest, "signal">,
  header: Headers,
  deadlines: Deadlines,
): Taken | undefined {
  const isGrpc = /^application\/grpc/i.test(header.get("content-type") ?? "");
  const name = isGrpc ? "grpc-timeout" : "connect-timeout-ms";
  const { timeoutMs = 0, error } = (isGrpc ? parseGrpc : parseConnect)(header.get(name), Number.POSITIVE_INFINITY);
  if (error || timeoutMs <= 0) return undefined;
  header.delete(name);
  const ending = new AbortController();
  const atMs = Date.now() + timeoutMs;
  const forget = deadlines.watch(atMs, () =>
    ending.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded)),
  );
  // Comes after every end, the regular one too.
  const over = () => {
    forget();
    ending.abort(request.signal.reason);
  };
  if (request.signal.aborted) over();
  else request.signal.addEventListener("abort", over, { once: true });
  return { atMs, signal: ending.signal };
}
