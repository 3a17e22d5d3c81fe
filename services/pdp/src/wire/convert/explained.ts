import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type BudgetTraceSchema,
  type ExplainResponseSchema,
  type PartTraceSchema,
  RuleTraceSchema,
} from "@remit/proto/decision";
import type { Explained } from "../../decisions/index.ts";
import { formatAmount } from "../../foundation/amount.ts";
import { mapInSlices, type Pause } from "../../foundation/in-slices.ts";
import { effectToWire, modeToWire, wouldToWire } from "./answer.ts";

type Considered = Explained["considered"][number];

function partToWire(part: Considered["conditions"][number]["parts"][number]): MessageInitShape<typeof PartTraceSchema> {
  const { operands = "", value = "", why = "", ...rest } = part;
  return { ...rest, operands, value, why };
}

function ruleToWire(considered: Considered): MessageInitShape<typeof RuleTraceSchema> {
  const { rule, effect, mode, result, why, conditions, settings } = considered;
  return {
    ...{ rule: { ...rule }, effect: effectToWire(effect), result, why },
    mode: modeToWire(mode === "observe" ? "observed" : "enforced"),
    conditions: conditions.map(({ parts, why: unknown = "", ...condition }) => ({
      ...{ ...condition, why: unknown },
      parts: parts.map(partToWire),
    })),
    settings: settings.map(({ path, before = "", after = "", why: unknown = "", text = "", parts }) => ({
      ...{ path, before, after, why: unknown, text },
      parts: parts.map(partToWire),
    })),
  };
}

const signed = (micros: bigint) => (micros < 0n ? `-${formatAmount(-micros)}` : formatAmount(micros));

function accountToWire(one: Explained["accounts"][number]): MessageInitShape<typeof BudgetTraceSchema> {
  const { budget, key, unit, account, needed, freeAfter, refuses = "" } = one;
  const { id, hard, closesAtMs, balance } = account;
  const { limit, held, posted, overage } = balance;
  return {
    ...{ budget, key, unit, hard, refuses, accountId: id > 0n ? String(id) : "" },
    ...{ needed: needed === undefined ? "" : formatAmount(needed), limit: formatAmount(limit) },
    ...{ spent: formatAmount(posted + overage), held: formatAmount(held) },
    ...{ free: signed(freeAfter + (needed ?? 0n)), freeAfter: signed(freeAfter) },
    ...(Number.isFinite(closesAtMs) && { closesAt: timestampFromMs(closesAtMs) }),
  };
}

/** Rules that are written between two pauses. */
const RULES_AT_ONCE_MAX = 50;

/** What `Explain` answers; in slices, between which it awaits `pause`. */
export async function explainedToWire(
  explained: Explained,
  pause: Pause,
): Promise<MessageInitShape<typeof ExplainResponseSchema>> {
  const { verdict, mode, would, checks, considered, skipped, revision, policyDigest } = explained;
  const traceOf = (rule: Considered) => create(RuleTraceSchema, ruleToWire(rule));
  const rules = await mapInSlices(considered, pause, traceOf, RULES_AT_ONCE_MAX);
  return {
    verdict: wouldToWire(verdict, true),
    mode: modeToWire(mode),
    ...(would && { would: wouldToWire(would, true) }),
    considered: rules,
    checks: checks.map(({ detail = "", ...check }) => ({ ...check, detail })),
    budgets: explained.accounts.map(accountToWire),
    skipped,
    revision,
    policyDigest,
  };
}
