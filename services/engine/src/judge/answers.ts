import type { CompiledRule } from "../compile/rule.ts";
import type { ToolRules } from "../compile/tool-rules.ts";
import { type JsonObject, type JsonValue, setOwn } from "../json.ts";
import type { Question } from "./verdict.ts";

/** What almost every call brings: this very object. */
export const noAnswers: JsonObject = Object.freeze({});

/** The answers without those to the rule's own questions that are of another type: others may ask the same by that name. */
export function answersSeenBy({ questions }: CompiledRule, answers: JsonObject): JsonObject {
  if (answers === noAnswers) return answers;
  const isOdd = ({ id, type }: Question) => Object.hasOwn(answers, id) && typeof answers[id] !== type;
  if (!questions.some(isOdd)) return answers;
  const odd = new Set(questions.filter(isOdd).map(({ id }) => id));
  const seen: Record<string, JsonValue> = {};
  for (const id of Object.keys(answers)) if (!odd.has(id)) setOwn(seen, id, answers[id] ?? null);
  return seen;
}

export function questionsAnswered(rule: CompiledRule, answers: JsonObject): boolean {
  return rule.questions.every(({ id, type }) => Object.hasOwn(answers, id) && typeof answers[id] === type);
}

/** The answers that answer a question: of the type it asks for, and not blank. The others are as good as none. */
export function validAnswers(answers: JsonObject, rules: ToolRules): JsonObject {
  const given = Object.keys(answers);
  if (given.length === 0) return noAnswers;
  const valid: Record<string, JsonValue> = {};
  for (const id of given) {
    const answer = answers[id] ?? null;
    const blank = typeof answer === "string" && answer.trim() === "";
    if (!blank && rules.asks(id, typeof answer)) setOwn(valid, id, answer);
  }
  return valid;
}
