import { expiryMoves, type OpenHold } from "../budgets/index.ts";
import { formatAmount, parseAmount } from "../foundation/amount.ts";
import { canonical } from "../foundation/canonical.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import { idempotencyKey, type NewRecord, type StoredRecord } from "../ledger/index.ts";
import { bodyOf } from "./replay.ts";

/** The one record that settles a decision: the first report, or that its hold's time was over. 16 bytes. */
export function settlingKeyOf(decision: string): Buffer {
  return idempotencyKey("report", `decision:${decision}`, 1);
}

/** What makes two records about one decision the same request: whichever came first stands. 32 bytes. */
export function aboutDecision(decision: string): Buffer {
  return digestBytes("request", canonical({ report: `decision:${decision}` }));
}

/** Older than no revision of any tenant: nothing was judged for it. */
const JUDGED_BY_NOTHING = 2n ** 63n - 1n;

/**
 * Writes the entry that a hold has run out, which settles its decision as a report would. What was allowed and never
 * reported counts as spent in hard budgets; what waited for an approval is given back. `beside`: its decision was settled
 * already by something that did not end the hold.
 */
export function draftExpiry(hold: OpenHold, id: string, nowMs: number, beside = false): NewRecord {
  const { tenant, session, sessionDay, decision, pending, expiresAtMs } = hold;
  const moves = expiryMoves(hold.parts, pending);
  const posted = moves
    .filter((move) => move.posted > 0n)
    .map((move) => ({ account: String(move.account), amount: formatAmount(move.posted) }));
  const text = canonical({
    ...{ v: 1, kind: "expiry", id, tenant, session, decision, pending, posted },
    ...{ hold: hold.id, expired_at: rfc3339(expiresAtMs), at: rfc3339(nowMs) },
  });
  return {
    ...{ id, tenant, session, sessionDay, kind: "expiry", subject: decision },
    securityRevision: JUDGED_BY_NOTHING,
    key: beside ? idempotencyKey("expiry", `decision:${decision}`, 1) : settlingKeyOf(decision),
    request: aboutDecision(decision),
    charge: { moves, hold: { step: "end", hold: hold.id, decision, overdue: true } },
    digest: digestBytes("entry", text),
    body: Buffer.from(text),
  };
}

/** What an expiry posted, in millionths by account. */
export function postedBy(expiry: StoredRecord): ReadonlyMap<bigint, bigint> {
  const { posted } = bodyOf(expiry) as { readonly posted?: readonly { account: string; amount: string }[] };
  return new Map(
    (posted ?? []).map(({ account, amount }) => [BigInt(account), parseAmount("micros", amount, "posted").micros]),
  );
}
