import { readAnswer } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { type Backoff, backoffMs } from "./backoff.ts";
import { type Decision, type Denied, denyLocally } from "./decision.ts";
import { RemitError } from "./errors.ts";
import { GivenUp, insist } from "./insist.ts";
import type { Link, TryOptions } from "./link.ts";
import type { Settings } from "./options.ts";
import { isAnswered, isRetryable, neverSent } from "./rpc-error.ts";
import type { HeldSession } from "./sessions.ts";

const again: Backoff = { firstMs: 10, maxMs: 200 };
const triesMax = 8;

/** What asking came to. */
export interface AskedDecision {
  readonly decision: Decision;
  /**
   * True when Remit may count on this call to run though it will not: it was allowed and refused here, or it was sent
   * and its answer never came.
   */
  readonly mustRelease: boolean;
}

function isExpired(error: unknown): boolean {
  return error instanceof RemitError && error.reason === "token_expired";
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : "no answer came";
}

function unreachable(asked: Asked, settings: Settings, cause: unknown): Denied {
  const { address, deadlineMs } = settings;
  const message =
    `${asked.tool} was not run: Remit did not decide at ${address} within ${deadlineMs} ms (${whyOf(cause)}). ` +
    "Start it with `remit serve`, or set REMIT_ADDRESS.";
  return denyLocally(asked, "unreachable", message, { retryable: true, cause });
}

/**
 * Asks about one call: over the stream, then with the same call id on another connection, under one deadline. What
 * cannot be asked or understood is a local denial; throws `RemitError` for an error that Remit itself answered, and the
 * signal's reason.
 */
export async function ask(
  link: Link,
  settings: Settings,
  held: HeldSession,
  asked: Asked,
  signal: AbortSignal | undefined,
): Promise<AskedDecision> {
  // Tries that may have reached Remit and were not answered.
  let unanswered = 0;
  const once = async (n: number, options: TryOptions) => {
    await held.fresh();
    unanswered++;
    try {
      const way = n % 2 === 0 ? link.decide : link.decideElsewhere;
      return await way(held, asked.request, options);
    } catch (error) {
      if (isAnswered(error) || neverSent(error)) unanswered--;
      throw error;
    }
  };
  const attempt = async (n: number, timeoutMs: number, trySignal: AbortSignal) => {
    const options = { timeoutMs, signal: trySignal };
    try {
      return await once(n, options);
    } catch (error) {
      if (!isExpired(error)) throw error;
      await held.renew();
      return once(n, options);
    }
  };
  const { timers, deadlineMs, hedgeMs, random } = settings;
  const waitMs = (n: number): number => backoffMs(again, n, random());
  try {
    const answer = await insist(attempt, {
      deadlineMs,
      hedgeMs,
      triesMax,
      waitMs,
      mayRetry: isRetryable,
      signal,
      timers,
    });
    const decision = readAnswer(asked, answer);
    return { decision, mustRelease: decision.effect === "deny" && decision.local };
  } catch (error) {
    if (signal?.aborted) return { decision: unreachable(asked, settings, signal.reason), mustRelease: unanswered > 0 };
    const last = error instanceof GivenUp ? error.last : error;
    const mustRelease = unanswered > 0;
    if (last instanceof RemitError && last.reason === "answer_invalid") {
      const message = `${asked.tool} was not run: Remit's answer cannot be read (${last.message}).`;
      return { decision: denyLocally(asked, "answer_invalid", message, { cause: last }), mustRelease: true };
    }
    if (isAnswered(last) && !(error instanceof GivenUp && mustRelease)) throw last;
    return { decision: unreachable(asked, settings, last), mustRelease };
  }
}
