import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { BudgetDocument } from "@remit/engine";
import type { BudgetAccountSchema, BudgetFreezeSchema, BudgetSchema, OpenHoldSchema } from "@remit/proto/admin";
import type { Amount as WireAmount } from "@remit/proto/common";
import {
  type AccountBooks,
  type AccountPlace,
  type BudgetStanding,
  type BudgetTarget,
  burnDown,
  type Direction,
  type Freeze,
  type ShownHold,
  type WantedLimit,
} from "../../decisions/index.ts";
import { formatAmount, parseAmount } from "../../foundation/amount.ts";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { storedName } from "./fields.ts";

function ownerOf({ owner }: BudgetDocument["spec"]): { ownerKind: string; owner: string } {
  if (typeof owner === "string") return { ownerKind: owner, owner: "" };
  const [[ownerKind, name] = ["tenant", ""]] = Object.entries(owner);
  return { ownerKind, owner: name };
}

/** A freeze; undefined where nothing is frozen. */
export function freezeToWire(freeze: Freeze | undefined): MessageInitShape<typeof BudgetFreezeSchema> | undefined {
  if (!freeze) return undefined;
  const { reason, by, atMs } = freeze;
  return { reason, ...(by && { by: { ...by } }), ...(atMs !== undefined && { at: timestampFromMs(atMs) }) };
}

/** How an account stands at a time of the store. */
export function accountToWire(one: AccountBooks, nowMs: number): MessageInitShape<typeof BudgetAccountSchema> {
  const { spent, free, over, windowOverBasisPoints, limitUsedBasisPoints, exhaustedAtMs } = burnDown(one, nowMs);
  const freeze = freezeToWire(one.freeze);
  return {
    ...{ accountId: String(one.id), budget: one.budget ?? "", sessionId: one.session ?? "", key: one.key },
    ...{ unit: one.unit, limit: formatAmount(one.limit), ownLimit: one.ownLimit !== null },
    ...{ spent: formatAmount(spent), overage: formatAmount(one.overage), held: formatAmount(one.held) },
    ...{ free: formatAmount(free), over: formatAmount(over), windowOverBasisPoints, limitUsedBasisPoints },
    ...(freeze && { freeze }),
    ...{ alarm: one.alarm === undefined ? "" : formatAmount(one.alarm), windowsBefore: one.windowsBefore },
    ...(one.alarmOffAtMs !== undefined && { alarmOffAt: timestampFromMs(one.alarmOffAtMs) }),
    ...(one.opensAtMs !== undefined && { opensAt: timestampFromMs(one.opensAtMs) }),
    ...(one.closesAtMs !== undefined && { closesAt: timestampFromMs(one.closesAtMs) }),
    ...(exhaustedAtMs !== undefined && { exhaustedAt: timestampFromMs(exhaustedAtMs) }),
  };
}

/** A declaration, and how it stands where that is known. */
export function budgetToWire(
  { metadata, spec }: BudgetDocument,
  standing?: BudgetStanding,
  nowMs = 0,
): MessageInitShape<typeof BudgetSchema> {
  const { unit, limit, window, timeZone, enforcement, anomaly, per = [] } = spec;
  const freeze = freezeToWire(standing?.freeze);
  return {
    ...{ name: metadata.name, limit: { unit, value: limit }, window, timeZone: timeZone ?? "" },
    ...ownerOf(spec),
    ...{ enforcement, per: [...per], enforced: true, accounts: BigInt(standing?.accounts ?? 0) },
    ...(freeze && { freeze }),
    ...(anomaly && { anomaly: { ...anomaly } }),
    // Whoever sees which budgets there are need not see whose: keys hold ids of people.
    ...(standing?.fullest && { account: { ...accountToWire(standing.fullest, nowMs), key: "" } }),
  };
}

/** What is held, for whom. */
export function holdToWire(hold: ShownHold): MessageInitShape<typeof OpenHoldSchema> {
  const { id, decision, session, agent, tool, amounts, sinceMs, untilMs, pending } = hold;
  return {
    ...{ holdId: id, decisionId: decision, sessionId: session, agent, tool, pending },
    amounts: amounts.map(({ account, budget = "", unit, micros }) => ({
      ...{ accountId: String(account), budget, unit, amount: formatAmount(micros) },
    })),
    ...{ since: timestampFromMs(sinceMs), until: timestampFromMs(untilMs) },
  };
}

const ACCOUNT_ID = /^[1-9][0-9]{0,18}$/;
const ACCOUNT_ID_MAX = 2n ** 63n - 1n;

/** The number of an account. */
function accountField(text: string, field: string): bigint {
  const id = ACCOUNT_ID.test(text) ? BigInt(text) : 0n;
  if (id > 0n && id <= ACCOUNT_ID_MAX) return id;
  throw invalid(field, `${field} must be the number of an account`, { fix: `send ${field} as answered` });
}

interface WireTarget {
  readonly budget: string;
  readonly accountId: string;
}

/** The budget or the account that a request is about. */
export function targetFrom({ budget, accountId }: WireTarget): BudgetTarget {
  if (budget !== "" && accountId !== "") {
    throw invalid("account_id", "both a budget and an account are named", { fix: "send one of budget and account_id" });
  }
  if (accountId !== "") return { account: accountField(accountId, "account_id") };
  return { budget: storedName(budget, "budget", limits.nameBytesMax) };
}

interface WireLimit {
  readonly limit?: WireAmount | undefined;
  readonly clearOwn: boolean;
  readonly accountId: string;
  readonly expected: string;
  readonly reason: string;
}

/** Why an operator does something. */
export const reasonFrom = (reason: string): string => storedName(reason, "reason", limits.budgetReasonBytesMax);

// Where none is said the budget's own is meant.
const ANY_UNIT = "calls";

/** The limit that a request wants. */
export function limitFrom(wanted: WireLimit, direction: Direction): WantedLimit {
  const { limit, expected, reason } = wanted;
  const rest = {
    direction,
    expected: expected === "" ? undefined : parseAmount(ANY_UNIT, expected, "expected").micros,
    reason: reasonFrom(reason),
  };
  if (wanted.clearOwn) {
    const fix = "send clear_own with account_id, and no limit";
    if (limit) throw invalid("limit", "a limit of its own and none are asked for", { fix });
    if (wanted.accountId === "") throw invalid("clear_own", "a whole budget has no limit but its own", { fix });
    return { ...rest, limit: "budget's" };
  }
  if (!limit)
    throw invalid("limit", "limit is missing", { fix: 'send limit, such as {"unit": "EUR", "value": "500"}' });
  const { micros } = parseAmount(limit.unit || ANY_UNIT, limit.value, "limit");
  return { ...rest, limit: { unit: limit.unit, micros } };
}

const PLACE = /^([0-9]{1,40}(?:\.[0-9]{1,40})?)\/([1-9][0-9]{0,18})$/;

export const placeToken = ({ used, id }: AccountPlace): string => `${used}/${id}`;

/** Where a page of accounts goes on. */
export function placeFrom(token: string): AccountPlace | undefined {
  if (token === "") return undefined;
  const [, used, id] = PLACE.exec(token) ?? [];
  if (used === undefined || id === undefined) {
    throw invalid("page_token", "page_token is none of ours", { fix: "send next_page_token as answered" });
  }
  return { used, id: accountField(id, "page_token") };
}
