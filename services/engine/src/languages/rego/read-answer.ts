import { Failure } from "../../cel/value.ts";
import { policyExpressions } from "../../compile/condition.ts";
import type { CompiledRule } from "../../compile/rule.ts";
import type { QuestionDocument } from "../../documents/policy.ts";
import { isExpression, readRule } from "../../documents/read-policy.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { answeredRule, type ProgramCompiling } from "../program.ts";

const keys = ["rule", "effect", "message", "remedy", "approval", "set", "questions", "constraints"];
const rulesMax = 64;

class Malformed extends Error {}

interface Reading {
  readonly entrypoint: string;
  readonly questions: readonly QuestionDocument[];
  readonly compiling: ProgramCompiling;
}

/**
 * What an entrypoint answered, as rules: one object, or a set or list of them. Each is read as strictly as a rule of our
 * own: an unknown effect, key or type, or a rule that is named twice, and there is no answer.
 */
export function readAnswer(result: JsonValue, reading: Reading): readonly CompiledRule[] | Failure {
  try {
    const items = Array.isArray(result) ? (result as readonly JsonValue[]) : [result];
    if (items.length > rulesMax) throw new Malformed(`${items.length} objects, more than ${rulesMax}`);
    const rules = items.map((item) => readObject(item, reading));
    const ids = rules.map(({ ref }) => ref.rule);
    const twice = ids.find((id, index) => ids.indexOf(id) < index);
    if (twice !== undefined) throw new Malformed(`the rule ${twice} stands twice in it`);
    return rules;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return new Failure("type", `${reading.entrypoint} has a malformed answer: ${error.message}`);
  }
}

function readObject(item: JsonValue, { entrypoint, questions, compiling }: Reading): CompiledRule {
  if (!isJsonObject(item)) throw new Malformed("not an object, nor a set or list of objects");
  const unknown = Object.keys(item).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new Malformed(`the unknown key ${JSON.stringify(unknown.slice(0, 64))}`);
  const { rule: id, ...rest } = item;
  const problems: string[] = [];
  const value: JsonObject = { id: id ?? null, match: { tools: ["*"] }, ...rest };
  const document = readRule(value, "", (pointer, message) => {
    problems.push(`${pointer.replace(/^\/id$/, "/rule")} ${message}`.trim());
  });
  if (!document) throw new Malformed((problems.join("; ") || "no known effect").slice(0, 500));
  if (Object.values(document.set ?? {}).some(isExpression)) throw new Malformed("/set an expression: give its value");
  for (const { id: question, type } of document.questions ?? []) {
    if (questions.some((declared) => declared.id === question && declared.type === type)) continue;
    throw new Malformed(`the question ${question} (${type}), which the document's \`questions\` do not name`);
  }
  const compiled = compiling.compileRule(document, { expressions: noExpressions, pointer: "", reads: () => {} });
  return answeredRule(compiled, compiling, {
    id: document.id,
    text: `${entrypoint} answered ${JSON.stringify(item).slice(0, 1000)}`,
  });
}

const noExpressions = policyExpressions({}, () => {});
