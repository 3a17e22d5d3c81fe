import { create } from "@bufbuild/protobuf";
import {
  HoldEnd,
  type ListHoldsRequest,
  type ListHoldsResponse,
  ListHoldsResponseSchema,
  type ResolveHoldRequest,
  type ResolveHoldResponse,
  ResolveHoldResponseSchema,
  type VerifyBudgetsRequest,
  type VerifyBudgetsResponse,
  VerifyBudgetsResponseSchema,
} from "@remit/proto/admin";
import type { ShownHold } from "../../decisions/index.ts";
import { formatAmount } from "../../foundation/amount.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import type { Unary } from "../call.ts";
import { holdToWire, reasonFrom } from "../convert/budget.ts";
import { durationField, storedName, uuidField } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

/** What of `BudgetService` is about holds and books. */
export interface HoldRpcs {
  readonly listHolds: Unary<ListHoldsRequest, ListHoldsResponse>;
  readonly resolveHold: Unary<ResolveHoldRequest, ResolveHoldResponse>;
  readonly verifyBudgets: Unary<VerifyBudgetsRequest, VerifyBudgetsResponse>;
}

function endFrom(as: HoldEnd) {
  if (as === HoldEnd.SPENT) return "spent" as const;
  if (as === HoldEnd.RELEASED) return "released" as const;
  throw invalid("as", "it is not said how the hold ends", { fix: "send HOLD_END_SPENT or HOLD_END_RELEASED" });
}

function signed(micros: bigint): string {
  return micros < 0n ? `-${formatAmount(-micros)}` : formatAmount(micros);
}

const given = (text: string, field: string) => (text === "" ? undefined : storedName(text, field, limits.nameBytesMax));

/** A hold that many accounts have takes as long to write as many holds: one at least is answered. */
function pageOf(holds: readonly ShownHold[]): readonly ShownHold[] {
  let amounts = 0;
  const over = holds.findIndex((hold, at) => {
    amounts += hold.amounts.length;
    return at > 0 && amounts > limits.holdAmountsListedMax;
  });
  return over === -1 ? holds : holds.slice(0, over);
}

export function holdRpcs({ caller, budgetHolds }: AdminDesk): HoldRpcs {
  return {
    async listHolds(request, call) {
      const by = caller(call);
      const most = Math.min(request.pageSize || limits.holdsListedMax, limits.holdsListedMax);
      const query = {
        budget: given(request.budget, "budget"),
        session: request.sessionId === "" ? undefined : uuidField(request.sessionId, "session_id"),
        agent: given(request.agent, "agent"),
        pending: request.pending,
        olderThanMs: request.olderThan ? durationField(request.olderThan, "older_than") : 0,
        after: request.pageToken === "" ? undefined : uuidField(request.pageToken, "page_token"),
      };
      const found = await budgetHolds.list(by, { ...query, most: most + 1 });
      const page = pageOf(found.slice(0, most));
      return create(ListHoldsResponseSchema, {
        holds: page.map(holdToWire),
        nextPageToken: found.length > page.length ? (page.at(-1)?.id ?? "") : "",
      });
    },
    async resolveHold(request, call) {
      const by = caller(call);
      const id = uuidField(request.holdId, "hold_id");
      const hold = await budgetHolds.resolve(by, id, endFrom(request.as), reasonFrom(request.reason));
      return create(ResolveHoldResponseSchema, { hold: holdToWire(hold), as: request.as });
    },
    async verifyBudgets(_request, call) {
      const by = caller(call);
      const { accounts, records, found, differences } = await budgetHolds.verify(by);
      return create(VerifyBudgetsResponseSchema, {
        ...{ accounts, records, differencesFound: found },
        differences: differences.map(({ account, budget = "", key, unit, column, books, records: recorded }) => ({
          ...{ accountId: String(account), budget, key, unit, column },
          ...{ books: signed(books), records: signed(recorded) },
        })),
      });
    },
  };
}
