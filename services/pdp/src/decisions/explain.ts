import { type Explanation, explainInSlices } from "@remit/engine";
import type { Clock } from "../foundation/clock.ts";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { rootOf } from "../identities/index.ts";
import { decidingFor, requireUsable, type Snapshot, type Snapshots } from "../policies/index.ts";
import type { Ask, WhoAsks } from "./ask.ts";
import type { createBudgetFacts } from "./budget-facts.ts";
import { revisionNumber, type Would } from "./decision.ts";
import { reasonOf, wouldOf } from "./entry.ts";
import type { createExplainBudgets, ExplainedAccount } from "./explain-budgets.ts";
import { factsOf, judge } from "./judge.ts";
import { listedRules } from "./listed-rules.ts";
import { scrubbed, scrubOf } from "./redact.ts";
import type { Redaction } from "./redaction.ts";

/** What would be decided, and how every rule that was considered came out. */
export interface Explained extends Pick<Explanation, "checks" | "considered" | "skipped"> {
  readonly verdict: Would;
  readonly mode: "enforced" | "observed";
  /** What enforcement would answer, where that differs from the verdict. */
  readonly would: Would | undefined;
  readonly revision: bigint;
  readonly policyDigest: string;
  /** What would be held; empty where the call would be denied before that. */
  readonly accounts: readonly ExplainedAccount[];
}

type Scrub = (text: string) => string;

function redactedPaths(snapshot: Snapshot, ask: Ask): readonly string[] {
  return snapshot.tools.get(ask.tool)?.document.spec.redact ?? [];
}

/** Rules that are looked through for what they quote between two pauses. */
const RULES_AT_ONCE_MAX = 100;

/** The engine shows no value that is redacted; what other values quote of one goes too. Texts of policies stay. */
async function withoutQuotes({ checks, considered, skipped }: Explanation, scrub: Scrub, pause: Pause) {
  type Rule = Explanation["considered"][number];
  type Part = Rule["conditions"][number]["parts"][number];
  const said = <Field extends "why" | "operands" | "value" | "before" | "after" | "detail">(
    thing: { readonly [F in Field]?: string },
    ...fields: Field[]
  ) =>
    Object.fromEntries(fields.flatMap((field) => (thing[field] === undefined ? [] : [[field, scrub(thing[field])]])));
  const partOf = (part: Part): Part => ({ ...part, ...said(part, "operands", "value", "why") });
  const ruleOf = (rule: Rule): Rule => ({
    ...rule,
    // A policy of another language says what it answered.
    why: scrub(rule.why),
    conditions: rule.conditions.map((one) => ({ ...one, ...said(one, "why"), parts: one.parts.map(partOf) })),
    settings: rule.settings.map((one) => ({
      ...{ ...one, ...said(one, "before", "after", "why") },
      parts: one.parts.map(partOf),
    })),
  });
  return {
    checks: checks.map((check) => ({ ...check, ...said(check, "detail") })),
    considered: await mapInSlices(considered, pause, ruleOf, RULES_AT_ONCE_MAX),
    skipped,
  };
}

/** Judges a call and shows why. Nothing is recorded or held, so nothing is decided. */
export function createExplain(rooms: {
  readonly snapshots: Snapshots;
  readonly redaction: Pick<Redaction, "keyed">;
  readonly budgetFacts: ReturnType<typeof createBudgetFacts>;
  readonly explainBudgets: ReturnType<typeof createExplainBudgets>;
  readonly clock: Clock;
}): (who: WhoAsks, ask: Ask) => Promise<Explained> {
  return async (who, asked) => {
    // Nothing here passes the commit that refuses what was judged too early.
    const asker = await who(true);
    const newest = requireUsable(await rooms.snapshots.latest(asker.session.tenant));
    const snapshot = decidingFor(newest, rootOf(asker.session));
    const nowMs = rooms.clock.now();
    const keyed = await rooms.redaction.keyed(snapshot, asked);
    const budgets = await rooms.budgetFacts(snapshot, asker, keyed, asked.withinMs);
    const ask = budgets ? { ...keyed, budgets } : keyed;
    const scrub = scrubOf(ask, redactedPaths(snapshot, ask));
    const judged = judge(snapshot, asker, ask, 1, nowMs);
    const holding = await rooms.explainBudgets(snapshot, asker, ask, judged, nowMs);
    const verdict = scrubbed(holding.verdict, scrub);
    const facts = factsOf(snapshot, asker, ask, 1, nowMs);
    await turnOfTheLoop();
    const explained = await explainInSlices(snapshot.compiled, facts, turnOfTheLoop);
    await turnOfTheLoop();
    const listed = listedRules(explained, limits.explainedRulesMax);
    const { effect, rules, mode } = verdict;
    return {
      verdict: { effect, rules, reason: reasonOf(verdict) },
      mode,
      would: wouldOf(verdict),
      ...(await withoutQuotes({ ...explained, ...listed }, scrub, turnOfTheLoop)),
      revision: revisionNumber(snapshot.revisions),
      policyDigest: snapshot.policyDigest,
      accounts: holding.accounts,
    };
  };
}
