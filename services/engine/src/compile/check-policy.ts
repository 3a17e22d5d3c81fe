import { nearestName } from "../documents/nearest.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument } from "../documents/policy.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { CompiledPolicy } from "./compile-policy.ts";
import { isExactName } from "./pattern.ts";
import type { Steps } from "./steps.ts";

const ruleCost = 0.2;

/** Warns of names in a policy that stand for nothing: tools that nobody registered, answers that no rule asks for. */
export function* checkPolicy(
  { document, rules: compiled }: CompiledPolicy,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): Steps<void> {
  const { rules } = document.spec;
  const questions = new Set(rules.flatMap((rule) => (rule.questions ?? []).map(({ id }) => id)));
  for (const [index, rule] of rules.entries()) {
    checkNames(rule.match, below(below("/spec/rules", index), "match"), tools, report);
    for (const { answers, text, pointer } of compiled[index]?.reads ?? []) {
      for (const { id, offset } of answers) {
        if (questions.has(id)) continue;
        const nearest = () => nearestName(id, questions);
        const message = `no rule of this policy asks \`${id}\``;
        report(pointer, message, { code: "answer_unasked", within: { text, offset }, severity: "warning", nearest });
      }
    }
    yield ruleCost;
  }
}

function checkNames(
  { tools: names = [] }: MatchDocument,
  pointer: string,
  tools: ReadonlyMap<string, ToolDocument>,
  report: Report,
): void {
  for (const [index, name] of names.entries()) {
    if (tools.has(name) || !isExactName(name)) continue;
    report(below(below(pointer, "tools"), index), `no tool \`${name}\` is registered`, {
      code: "tool_unregistered",
      severity: "warning",
      nearest: () => nearestName(name, tools.keys()),
    });
  }
}
