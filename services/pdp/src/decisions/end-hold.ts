import { formatAmount } from "../foundation/amount.ts";
import { canonical } from "../foundation/canonical.ts";
import { rfc3339 } from "../foundation/clock.ts";
import { digestBytes } from "../foundation/digest.ts";
import type { Caller } from "../identities/index.ts";
import type { Move, NewRecord } from "../ledger/index.ts";
import type { HeldCall } from "./budget-books-store.ts";
import type { HoldEnd } from "./budget-change.ts";
import { aboutDecision, settlingKeyOf } from "./expiry-entry.ts";

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
    // As a report and an expiry have it: whichever comes later finds this one.
    key: settlingKeyOf(hold.decision),
    request: aboutDecision(hold.decision),
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
