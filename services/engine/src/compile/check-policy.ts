import type { AnswerUse } from "../cel/node.ts";
import { nearestName } from "../documents/nearest.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import type { Reads } from "./condition.ts";
import { isExactName } from "./pattern.ts";
import type { Steps } from "./steps.ts";

const ruleCost = 0.2;
const nearestCost = 100;

/** Warns of names in a policy that stand for nothing: tools that nobody registered, answers that no rule asks for. */
export function* checkPolicy(
  { document, rules: compiled }: CompiledPolicy,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): Steps<void> {
  const { rules } = document.spec;
  const questions = new Set(rules.flatMap((rule) => (rule.questions ?? []).map(({ id }) => id)));
  const known = new Map<Reads, readonly AnswerUse[]>();
  for (const [index, rule] of rules.entries()) {
    yield* checkNames(rule.match, below(below("/spec/rules", index), "match"), tools, report);
    for (const { text, pointer, ...reads } of compiled[index]?.reads ?? []) {
      for (const { id, offset } of answersOf(reads, known)) {
        if (questions.has(id)) continue;
        yield nearestCost;
        const nearest = () => nearestName(id, questions);
        const message = `no rule of this policy asks \`${id}\``;
        report(pointer, message, { code: "answer_unasked", within: { text, offset }, severity: "warning", nearest });
      }
    }
    yield ruleCost;
  }
}

/** The answers that a text reads: its own, and at its beginning those of its variables. */
function answersOf({ answers, variables }: Reads, known: Map<Reads, readonly AnswerUse[]>): readonly AnswerUse[] {
  if (variables.length === 0) return answers;
  const ids = new Set(answers.map(({ id }) => id));
  const all = [...answers];
  for (const variable of variables) {
    const its = known.get(variable) ?? answersOf(variable, known);
    known.set(variable, its);
    for (const { id } of its) if (ids.size < ids.add(id).size) all.push({ id, offset: 0 });
  }
  return all;
}

function* checkNames(
  { tools: names = [] }: MatchDocument,
  pointer: string,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): Steps<void> {
  for (const [index, name] of names.entries()) {
    if (tools.has(name) || !isExactName(name)) continue;
    // Looking for the name that was meant takes its time.
    yield nearestCost;
    report(below(below(pointer, "tools"), index), `no tool \`${name}\` is registered`, {
      code: "tool_unregistered",
      severity: "warning",
      nearest: () => nearestName(name, tools.keys()),
    });
  }
}
