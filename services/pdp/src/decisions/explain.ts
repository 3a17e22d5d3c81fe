import { type Explanation, explainInSlices } from "@remit/engine";
import type { Clock } from "../foundation/clock.ts";
import { mapInSlices, type Pause } from "../foundation/in-slices.ts";
import { limits } from "../foundation/limits.ts";
import { finishInSlices } from "../foundation/steps.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { noTurnRoom, type TurnRoom } from "../foundation/turn-room.ts";
import { rootOf } from "../identities/index.ts";
import { decidingFor, requireUsable, type Snapshot, type Snapshots } from "../policies/index.ts";
import type { Ask, WhoAsks } from "./ask.ts";
import type { createBudgetFacts } from "./budget-facts.ts";
import { revisionNumber, type Would } from "./decision.ts";
import { reasonOf, wouldOf } from "./entry.ts";
import type { createExplainBudgets, ExplainedAccount } from "./explain-budgets.ts";
import type { Finding } from "./finding.ts";
import { factsOf, judge } from "./judge.ts";
import { listedRules } from "./listed-rules.ts";
import { namedTexts } from "./redact.ts";
import type { Redaction } from "./redaction.ts";
import { withScopesRead } from "./scopes-read.ts";
import { retold, withoutSecrets } from "./scrub.ts";

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

function redactedPaths(snapshot: Snapshot, ask: Ask): readonly string[] {
  return snapshot.tools.get(ask.tool)?.document.spec.redact ?? [];
}

/** Rules that are looked through for what they quote between two pauses. */
const RULES_AT_ONCE_MAX = 100;

type Told = Pick<Explanation, "checks" | "considered" | "skipped"> & { readonly finding: Finding };

/** The engine shows no value that is redacted; what other values quote of one goes too. Texts of policies stay. */
async function retoldAll(
  { finding, checks, considered, skipped }: Told,
  told: (sentence: string) => string,
  pause: Pause,
) {
  type Rule = Explanation["considered"][number];
  type Part = Rule["conditions"][number]["parts"][number];
  const said = <Field extends "why" | "operands" | "value" | "before" | "after" | "detail">(
    thing: { readonly [F in Field]?: string },
    ...fields: Field[]
  ) => Object.fromEntries(fields.flatMap((field) => (thing[field] === undefined ? [] : [[field, told(thing[field])]])));
  const partOf = (part: Part): Part => ({ ...part, ...said(part, "operands", "value", "why") });
  const ruleOf = (rule: Rule): Rule => ({
    ...rule,
    // A policy of another language says what it answered.
    why: told(rule.why),
    conditions: rule.conditions.map((one) => ({ ...one, ...said(one, "why"), parts: one.parts.map(partOf) })),
    settings: rule.settings.map((one) => ({
      ...{ ...one, ...said(one, "before", "after", "why") },
      parts: one.parts.map(partOf),
    })),
  });
  return {
    finding: retold(finding, told),
    checks: checks.map((check) => ({ ...check, ...said(check, "detail") })),
    considered: await mapInSlices(considered, pause, ruleOf, RULES_AT_ONCE_MAX),
    skipped,
  };
}

/** What is told of a call, without what it quotes of values that its tool redacts. */
async function withoutQuotes(told: Told, ask: Ask, paths: readonly string[], pause: Pause): Promise<Told> {
  if (paths.length === 0) return told;
  const secrets = await finishInSlices(namedTexts(ask, paths), pause);
  const sentences: string[] = [];
  const collect = (sentence: string) => {
    sentences.push(sentence);
    return sentence;
  };
  await retoldAll(told, collect, pause);
  const clean = await finishInSlices(withoutSecrets(sentences, secrets), pause);
  // It is told in the order in which it was collected.
  let at = 0;
  return retoldAll(told, (sentence) => clean[at++] ?? sentence, pause);
}

/** Judges a call and shows why. Nothing is recorded or held, so nothing is decided. */
export function createExplain(rooms: {
  readonly snapshots: Snapshots;
  readonly redaction: Pick<Redaction, "keyed">;
  readonly budgetFacts: ReturnType<typeof createBudgetFacts>;
  readonly explainBudgets: ReturnType<typeof createExplainBudgets>;
  readonly clock: Clock;
  /** Absent: nobody waits for a turn. */
  readonly turns?: TurnRoom;
}): (who: WhoAsks, ask: Ask) => Promise<Explained> {
  const { turns = noTurnRoom } = rooms;
  return async (who, asked) => {
    // Nothing here passes the commit that refuses what was judged too early.
    const asker = await who(true);
    const newest = requireUsable(await rooms.snapshots.latest(asker.session.tenant));
    const snapshot = decidingFor(newest, rootOf(asker.session));
    const nowMs = rooms.clock.now();
    const keyed = await rooms.redaction.keyed(snapshot, asked);
    const budgets = await rooms.budgetFacts(snapshot, asker, keyed, asked.withinMs);
    const known = budgets ? { ...keyed, budgets } : keyed;
    const ask = await withScopesRead({ turns, source: asked, snapshot, asker, nowMs }, known);
    const judged = judge(snapshot, asker, ask, 1, nowMs);
    const holding = await rooms.explainBudgets(snapshot, asker, ask, judged, nowMs);
    const facts = factsOf(snapshot, asker, ask, 1, nowMs);
    await turnOfTheLoop();
    const explained = await explainInSlices(snapshot.compiled, facts, turnOfTheLoop);
    await turnOfTheLoop();
    const listed = listedRules(explained, limits.explainedRulesMax);
    const said = { finding: holding.verdict, checks: explained.checks, ...listed };
    const { finding, ...told } = await withoutQuotes(said, ask, redactedPaths(snapshot, ask), turnOfTheLoop);
    const { effect, rules, mode } = finding;
    return {
      verdict: { effect, rules, reason: reasonOf(finding) },
      mode,
      would: wouldOf(finding),
      ...told,
      revision: revisionNumber(snapshot.revisions),
      policyDigest: snapshot.policyDigest,
      accounts: holding.accounts,
    };
  };
}
