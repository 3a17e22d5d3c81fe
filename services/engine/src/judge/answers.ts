import type { Meter } from "../cel/frame.ts";
import type { CompiledRule } from "../compile/rule.ts";
import type { ToolRules } from "../compile/tool-rules.ts";
import { type JsonObject, type JsonValue, setOwn } from "../json.ts";
import type { Question } from "./verdict.ts";

/** What almost every call brings: this very object. */
export const noAnswers: JsonObject = Object.freeze({});

/** Of finding out about one question whether and how it was answered, and of copying one answer. */
const questionSteps = 8;
const copySteps = 2;

/** The answers without those to the rule's own questions that are of another type: others may ask the same by that name. */
export function answersSeenBy({ questions }: CompiledRule, answers: JsonObject, meter: Meter): JsonObject {
  // The rest is a function of its own, as it has some within it: what those can see would be laid out for each rule.
  return answers === noAnswers || questions.length === 0 ? answers : withoutOdd(questions, answers, meter);
}

function withoutOdd(questions: readonly Question[], answers: JsonObject, meter: Meter): JsonObject {
  meter.steps -= questionSteps * questions.length;
  const isOdd = ({ id, type }: Question) => Object.hasOwn(answers, id) && typeof answers[id] !== type;
  if (!questions.some(isOdd)) return answers;
  const odd = new Set(questions.filter(isOdd).map(({ id }) => id));
  const seen: Record<string, JsonValue> = {};
  const given = Object.keys(answers);
  meter.steps -= copySteps * given.length;
  for (const id of given) if (!odd.has(id)) setOwn(seen, id, answers[id] ?? null);
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
  let count = 0;
  for (const id of given) {
    const answer = answers[id] ?? null;
    const blank = typeof answer === "string" && answer.trim() === "";
    if (blank || !rules.asks(id, typeof answer)) continue;
    setOwn(valid, id, answer);
    count++;
  }
  return count === 0 ? noAnswers : valid;
}
