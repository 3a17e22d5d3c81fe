import { readAnswer } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { type Backoff, backoffMs } from "./backoff.ts";
import { type Decision, type Denied, denyLocally } from "./decision.ts";
import { RemitError } from "./errors.ts";
import { GivenUp, insist } from "./insist.ts";
import type { Link, TryOptions } from "./link.ts";
import type { Settings } from "./options.ts";
import { decidedNothing, isAnswered, isExpired, isRetryable } from "./rpc-error.ts";
import type { HeldSession } from "./sessions.ts";

const again: Backoff = { firstMs: 10, maxMs: 250 };
// The deadline is what ends it; this only bounds a deadline of hours.
const triesMax = 10_000;

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : "no answer came";
}

function unreachable(asked: Asked, settings: Settings, cause: unknown): Denied {
  const { where, deadlineMs } = settings;
  const message =
    `${asked.tool} was not run: Remit did not decide at ${where} within ${deadlineMs} ms (${whyOf(cause)}). ` +
    "Start it with `remit serve`, or set REMIT_ADDRESS.";
  return denyLocally(asked, "unreachable", message, { retryable: true, cause });
}

/** What it takes to ask about one call. */
export interface Asking {
  readonly held: HeldSession;
  readonly asked: Asked;
  readonly signal: AbortSignal | undefined;
  /** An earlier ask of this call may have left a decision that nobody here has seen. */
  readonly owed: boolean;
  /**
   * Called when Remit may count on this call to run though it will not: it was allowed and is refused here, or it was
   * sent and its answer, so its decision id, never came.
   */
  release(decisionId?: string): void;
}

/**
 * Asks about one call: over the stream, then with the same call id on another connection, under one deadline. What
 * cannot be asked or understood is a local denial; throws `RemitError` for an error that Remit itself answered.
 */
export async function ask(link: Link, settings: Settings, asking: Asking): Promise<Decision> {
  const { held, asked, signal, owed, release } = asking;
  // Tries after which a decision may stand that nobody here has seen.
  let unseen = owed ? 1 : 0;
  const once = async (n: number, options: TryOptions) => {
    await held.fresh();
    unseen++;
    try {
      const way = n % 2 === 0 ? link.decide : link.decideElsewhere;
      return await way(held, asked.request, options);
    } catch (error) {
      if (decidedNothing(error)) unseen--;
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
  const how = { deadlineMs, hedgeMs, triesMax, waitMs, mayRetry: isRetryable, signal, timers };
  try {
    const decision = readAnswer(asked, await insist(attempt, how));
    if (decision.effect !== "deny" || !decision.local) return decision;
    // Whose decision an answer is that does not hold together, nobody knows.
    release(decision.reason.code === "constraint_unsupported" ? decision.decisionId : undefined);
    return decision;
  } catch (error) {
    const last = error instanceof GivenUp ? error.last : error;
    // Under a reused id it is another call that would be released.
    if (unseen > 0 && !(last instanceof RemitError && last.reason === "call_id_reused")) release();
    if (last instanceof RemitError && last.reason === "answer_invalid") {
      const message = `${asked.tool} was not run: Remit's answer cannot be read (${last.message}).`;
      return denyLocally(asked, "answer_invalid", message, { cause: last });
    }
    if (isAnswered(last) && !(error instanceof GivenUp && unseen > 0)) throw last;
    return unreachable(asked, settings, last);
  }
}
