import { create } from "@bufbuild/protobuf";
import { Health, HealthCheckRequestSchema, HealthCheckResponse_ServingStatus } from "@remit/proto/health";
import { SessionService } from "@remit/proto/session";
import { RemitError } from "./errors.ts";
import { GivenUp, insist } from "./insist.ts";
import type { Link } from "./link.ts";
import type { Settings } from "./options.ts";
import { isRetryable } from "./rpc-error.ts";

const again = { firstMs: 50, maxMs: 1_000 };
// No session has it: who is told that it is missing has been let in.
const nobody = "00000000-0000-7000-8000-000000000000";

function notServing(): RemitError {
  const fields = { status: "UNAVAILABLE", reason: "not_serving", retryable: true };
  return new RemitError("it answers, but does not serve yet", fields);
}

async function probe(link: Link, n: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const unary = link.unary(n);
  const request = create(HealthCheckRequestSchema, {});
  const health = await unary(Health.method.check, request, { timeoutMs, signal });
  if (health.status !== HealthCheckResponse_ServingStatus.SERVING) throw notServing();
  try {
    await unary(SessionService.method.getSession, { sessionId: nobody }, { timeoutMs, signal });
  } catch (error) {
    if (!(error instanceof RemitError) || error.status !== "NOT_FOUND") throw error;
  }
}

/**
 * Settles when Remit serves at the address and knows the key. Tries until the time is over, since the two often start
 * together; a key that is not accepted fails at once.
 */
export async function becomeReady(link: Link, settings: Settings, timeoutMs: number): Promise<void> {
  const { timers, random, where } = settings;
  try {
    await insist((n, leftMs, signal) => probe(link, n, leftMs, signal), {
      deadlineMs: timeoutMs,
      triesMax: 1_000,
      waitMs: (n) => Math.min(again.maxMs, again.firstMs * n) * (0.5 + random() / 2),
      mayRetry: isRetryable,
      timers,
    });
  } catch (error) {
    const cause = error instanceof GivenUp ? error.last : error;
    const why = cause instanceof Error ? cause.message : `no answer within ${timeoutMs} ms`;
    const known = cause instanceof RemitError ? cause : undefined;
    const byKey = known?.status === "UNAUTHENTICATED";
    const fix = byKey
      ? "set REMIT_API_KEY to a key of this Remit"
      : `start it with \`remit serve\`, or set REMIT_ADDRESS to where it listens for gRPC`;
    throw new RemitError(`Remit is not ready at ${where}: ${why}. To mend it, ${fix}.`, {
      status: known?.status ?? "UNAVAILABLE",
      reason: byKey ? known.reason : "unreachable",
      fix,
      retryable: !byKey,
      cause,
    });
  }
}
