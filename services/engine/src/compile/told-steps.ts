import type { CompiledRule } from "./rule.ts";

/** What telling of a rule takes, however little it says. */
const ruleSteps = 20;
/** Of each thing that it says beside texts: they are put together, without repetition, from all rules that match. */
const partSteps = { approver: 5, path: 20, question: 10, setting: 4 };
/** Characters that are put into a verdict, its entry and its answer in the time of one step. */
const charsPerStep = 4;

/**
 * The steps that telling of a rule takes where it matches or is unknown: by its name and everything that it would have
 * the caller told, which thousands of rules may say at once.
 */
export function toldSteps(rule: Omit<CompiledRule, "told">): number {
  const { ref, message, remedy, summary, requirement, questions, constraints, settings } = rule;
  let chars = ref.policy.length + ref.rule.length;
  for (const text of [message, remedy, summary]) chars += text?.length ?? 0;
  let steps = ruleSteps + partSteps.setting * settings.length;
  for (const { id, ask } of questions) {
    steps += partSteps.question;
    chars += id.length + ask.length;
  }
  for (const approver of requirement?.approvers ?? []) {
    steps += partSteps.approver;
    chars += approver.length;
  }
  for (const constraint of constraints) {
    for (const path of constraint.name === "redactOutput" ? constraint.strings : []) {
      steps += partSteps.path;
      chars += path.length;
    }
  }
  return steps + Math.ceil(chars / charsPerStep);
}
