import type { Effect, RuleRef } from "@remit/engine";
import { type Canonicalisable, canonical } from "../foundation/canonical.ts";
import type { RolloutSide, Sides } from "../policies/index.ts";
import type { Ask, Asker } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import type { DecisionCode } from "./codes.ts";
import type { Finding, Judged } from "./finding.ts";
import { judgeAttempt } from "./judge.ts";

/** What the side answers that did not decide. */
export interface OtherSide {
  readonly effect: Effect;
  readonly code: DecisionCode;
  readonly rules: readonly RuleRef[];
}

/** What a decision says of the versions that were tried when it was made. */
export interface RolloutNote {
  /** The rollout's. */
  readonly id: string;
  /** Whose versions decided: those in force, or those that are tried. */
  readonly side: RolloutSide;
  /** What is tried. */
  readonly versions: readonly { readonly policy: string; readonly version: number }[];
  /** What the other side answers, where that is another outcome. */
  readonly other?: OtherSide;
  /** Whether the other side was judged at all. */
  readonly judged: boolean;
}

/** What enforcement answers: of a call that is only watched, what would have been. */
const enforced = (finding: Finding) => (finding.mode === "observed" && finding.would ? finding.would : finding);

/** All that a caller would have to do otherwise. Which rules, and which words, are not part of it. */
function outcomeOf(finding: Finding): Canonicalisable {
  const { effect, code } = enforced(finding);
  if (finding.mode === "observed") return { effect, code };
  const { transformedInput, constraints, approval, questions } = finding;
  return {
    ...{ effect, code, constraints },
    input: transformedInput,
    questions: questions?.map(({ id, type }) => ({ id, type })),
    approval: approval?.requirements.map(({ approvers, quorum, expiresSeconds }) => ({
      ...{ approvers, quorum, expiresSeconds },
    })),
  } as Canonicalisable;
}

function sameOutcome(one: Finding, other: Finding): boolean {
  if (one.effect !== other.effect || one.code !== other.code) return false;
  return canonical(outcomeOf(one)) === canonical(outcomeOf(other));
}

/** What the other side says to the same attempt; undefined when it cannot be judged, which is no concern of the answer. */
function judgeOther(sides: Sides, asker: Asker, ask: Ask, attempt: Attempt, nowMs: number): Finding | undefined {
  if (!sides.other) return undefined;
  try {
    return judgeAttempt(sides.other, asker, ask, attempt, nowMs).verdict;
  } catch {
    return undefined;
  }
}

/** Judges one attempt, which the side of its session has judged, along by the other, which changes nothing of it. */
export function judgeAlong(
  sides: Sides,
  judged: Judged,
  asker: Asker,
  ask: Ask,
  attempt: Attempt,
  nowMs: number,
): Judged & { readonly rollout: RolloutNote } {
  const finding = judgeOther(sides, asker, ask, attempt, nowMs);
  const { id, policies } = sides.rollout;
  const versions = policies.map(({ document, version }) => ({ policy: document.metadata.name, version }));
  const note = { id, side: sides.side, versions, judged: finding !== undefined };
  if (!finding || sameOutcome(judged.verdict, finding)) return { ...judged, rollout: note };
  const { effect, code, rules } = enforced(finding);
  return { ...judged, rollout: { ...note, other: { effect, code, rules } } };
}
