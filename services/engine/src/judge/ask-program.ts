import { added } from "../added.ts";
import type { Frame } from "../cel/frame.ts";
import { Failure } from "../cel/value.ts";
import type { CompiledRule } from "../compile/rule.ts";
import type { Program } from "../languages/program.ts";
import { questionsAnswered } from "./answers.ts";
import { type Findings, note, type Pass } from "./judge.ts";
import type { MatchedTransform } from "./transform.ts";

/** A policy in another language that is asked, as the rule that stands for it. */
interface Asked {
  readonly rule: CompiledRule;
  readonly program: Program;
  readonly frame: Frame;
  readonly pass: Pass;
}

/** Takes the transforms of an answer. Without an answer it is unknown what the call's input should be. */
export function askTransforms(
  asked: Asked & { readonly matched: MatchedTransform[]; readonly unknownTransforms: CompiledRule[] },
): void {
  const { rule, program, frame, pass, matched, unknownTransforms } = asked;
  const answer = program.transforms(frame);
  if (answer instanceof Failure) {
    tellUnknown(asked, answer);
    unknownTransforms.push(rule);
    return;
  }
  for (const transform of answer) {
    pass.judging.trace?.(transform, true, frame);
    frame.meter.steps -= transform.told;
    matched.push({ rule: transform, frame });
  }
}

/** Takes everything else that an answer says. Without an answer the call is denied. */
export function askOthers(asked: Asked & { readonly findings: Findings }): void {
  const { rule, program, frame, pass, findings } = asked;
  const { trace } = pass.judging;
  const answer = program.others(frame);
  if (answer instanceof Failure) {
    tellUnknown(asked, answer);
    note(rule, answer, findings, pass);
    return;
  }
  if (answer.length === 0) trace?.(rule, false, frame);
  for (const match of answer) {
    trace?.(match, true, frame);
    frame.meter.steps -= match.told;
    note(match, true, findings, pass);
  }
  // Answered, and not just silent: without the answers it would have asked.
  const answered = Object.keys(frame.answers).length > 0;
  const silent = answered ? program.others({ ...frame, answers: {} }) : [];
  for (const before of silent instanceof Failure ? [] : silent) {
    if (before.effect !== "clarify" || answer.some(({ ref }) => ref.rule === before.ref.rule)) continue;
    if (questionsAnswered(before, frame.answers)) findings.answered = added(findings.answered, before);
  }
}

/** Says once why there is no answer, where both passes found none. */
function tellUnknown({ rule, pass, frame }: Asked, { why }: Failure): void {
  if (pass.unknowns.some((unknown) => unknown.rule === rule.ref)) return;
  pass.judging.trace?.(rule, new Failure("error", why), frame);
  pass.unknowns = added(pass.unknowns, { rule: rule.ref, why });
}
