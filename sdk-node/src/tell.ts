import type { ReportRequest, ReportResponse } from "@remit/proto/decision";
import { GivenUp, insist } from "./insist.ts";
import type { Link } from "./link.ts";
import { isExpired, transportError } from "./rpc-error.ts";
import type { HeldSession } from "./sessions.ts";
import type { Timers } from "./timers.ts";

const deadlineMs = 5_000;

/** Sends one report, once, and waits no longer than five seconds. Rejects with a `RemitError`. */
export async function tell(
  link: Link,
  timers: Timers,
  held: HeldSession,
  request: ReportRequest,
): Promise<ReportResponse> {
  try {
    return await insist((_, timeoutMs, signal) => link.report(held, request, { timeoutMs, signal }), {
      deadlineMs,
      triesMax: 1,
      waitMs: () => 0,
      mayRetry: () => false,
      timers,
    });
  } catch (error) {
    throw error instanceof GivenUp ? transportError(`no answer came within ${deadlineMs} ms`, error) : error;
  }
}

/**
 * As above. A token that ran out still reports for a day; when that is over too, it is renewed, which Remit grants as
 * long as the session lives.
 */
export async function tellAnyhow(
  link: Link,
  timers: Timers,
  held: HeldSession,
  request: ReportRequest,
): Promise<ReportResponse> {
  try {
    return await tell(link, timers, held, request);
  } catch (error) {
    if (!isExpired(error)) throw error;
    await held.renew();
    return tell(link, timers, held, request);
  }
}
