import { formatAmount } from "../foundation/amount.ts";
import { canonical } from "../foundation/canonical.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import type { Caller } from "../identities/index.ts";
import { idempotencyKey, type Move, type NewRecord } from "../ledger/index.ts";
import type { HeldCall } from "./budget-books-store.ts";
import type { HoldEnd } from "./budget-change.ts";

/** What an operator's ending of a hold does to its accounts: as spent all of it is posted, also in soft ones. */
function endingMoves({ amounts }: Pick<HeldCall, "amounts">, as: HoldEnd): Move[] {
  return amounts.map(({ account, micros }) => ({
    ...{ account, held: -micros, posted: as === "spent" ? micros : 0n, overage: 0n },
  }));
}

/** The entry that ends a hold by an operator's word: an expiry that did not wait for its time. */
export function endHold(
  by: Pick<Caller, "id" | "name" | "tenant">,
  hold: HeldCall,
  { as, reason }: { readonly as: HoldEnd; readonly reason: string },
  { id, nowMs, security }: { readonly id: string; readonly nowMs: number; readonly security: bigint },
): NewRecord {
  const moves = endingMoves(hold, as);
  const text = canonical({
    ...{ v: 1, kind: "expiry", id, at: rfc3339(nowMs), tenant: by.tenant, session: hold.session },
    ...{ decision: hold.decision, hold: hold.id, as, reason },
    resolved_by: { id: by.id, name: by.name },
    // As an expiry says it: what a late report corrects.
    ...{ pending: hold.pending, posted: postedOf(moves) },
  });
  return {
    ...{ id, tenant: by.tenant, session: hold.session, sessionDay: hold.sessionDay, kind: "expiry" },
    key: idempotencyKey("report", `decision:${hold.decision}`, 1),
    request: digestBytes("request", canonical({ report: `decision:${hold.decision}` })),
    subject: hold.decision,
    securityRevision: security,
    digest: digestBytes("entry", text),
    body: Buffer.from(text),
    charge: { moves, hold: { step: "end", hold: hold.id, decision: hold.decision } },
  };
}

const postedOf = (moves: readonly Move[]) =>
  moves
    .filter(({ posted }) => posted > 0n)
    .map(({ account, posted }) => ({ account: String(account), amount: formatAmount(posted) }));
