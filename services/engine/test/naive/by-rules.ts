import type { Facts, JsonObject, JsonValue, Question, ToolDocument } from "../../src/index.ts";
import { excessOf, misfits } from "./before-policy.ts";
import { combined, deny, type Findings, type NaiveVerdict, refOf } from "./combined.ts";
import type { Flaw } from "./flaws.ts";
import { type Ask, asking, type Parse, type PlacedRule, truthOf } from "./judgement.ts";
import { type Answer, asJson, type Truth, Unknown } from "./values.ts";

interface On {
  readonly parse: Parse;
  readonly facts: Facts;
  readonly tool: ToolDocument;
  readonly flaw: Flaw | undefined;
  /** Every question that a rule for this tool asks anybody. */
  readonly questions: readonly Question[];
}

/** What these rules say of a call that nothing before them refused. */
export function byRules(rules: readonly PlacedRule[], on: On): NaiveVerdict {
  const { parse, facts, tool, flaw, questions } = on;
  const leak = new Map<string, Answer>();
  const answers = validAnswers(questions, facts, flaw);
  const askOf = (input: JsonObject, given: JsonObject) => asking(parse, facts, tool, input, given, flaw, leak);
  const judge = (one: PlacedRule, ask: Ask) => ({ one, truth: truthOf(one, ask, flaw) });
  const first = askOf(facts.input, answers);
  const transforms = rules.filter(({ rule }) => rule.effect === "transform").map((one) => judge(one, first));
  const applied = transforms.filter(({ truth }) => truth === true).map(({ one }) => one);
  const changed = changedInput(facts.input, applied, first, flaw);
  const before = { unknowns: transforms.filter(isUnknown).map(({ one }) => refOf(one)), rules: applied.map(refOf) };
  if (typeof changed === "string") return { ...deny(changed, wordsOf[changed]), ...before };
  const seen = flaw === "others-see-the-proposed-input" ? facts.input : changed;
  const ask = askOf(seen, answers);
  const judged = rules
    .filter(({ rule }) => rule.effect !== "transform")
    .map((one) => judge(one, rightly(one, answers, flaw) ? ask : askOf(seen, withoutOdd(one, answers))));
  const unknowns = [...transforms, ...judged].filter(isUnknown).map(({ one }) => refOf(one));
  const refused = applied.length > 0 ? refusedAgain(changed, on) : undefined;
  if (refused) {
    const rest = { rules: applied.map(refOf), unknowns: refused.code === "transform_invalid" ? undefined : unknowns };
    return { ...refused, ...rest };
  }
  const silent = askOf(seen, {});
  const findings: Findings = {
    facts,
    judged,
    answered: judged.filter(({ one, truth }) => isAnswered(one, truth, answers, silent, flaw)).map(({ one }) => one),
    applied,
    unsure: flaw === "unknown-transform-is-ignored" ? [] : transforms.filter(isUnknown).map(({ one }) => one),
    changed,
    unknowns,
    flaw,
  };
  return combined(findings);
}

const wordsOf = {
  transform_conflict: "Policies would change this call's input in ways that contradict each other.",
  transform_invalid: "A policy would change this call's input into one that the tool does not accept.",
};

type Judged = { readonly one: PlacedRule; readonly truth: Truth };

function isUnknown({ truth }: Judged): boolean {
  return truth instanceof Unknown;
}

/** What a policy may not force: an input that the tool does not accept, or that is outside the scope. */
function refusedAgain(changed: JsonObject, { tool, facts, flaw }: On): NaiveVerdict | undefined {
  const { inputSchema } = tool.spec;
  if (inputSchema && misfits(changed, inputSchema, "input").length > 0) {
    return deny("transform_invalid", wordsOf.transform_invalid);
  }
  if (flaw === "transformed-input-escapes-the-scope") return undefined;
  const excess = excessOf(facts, tool, changed, flaw);
  return excess === undefined
    ? undefined
    : deny("scope_exceeded", `The call exceeds what this session may do: ${excess}.`);
}

/** Content because it was answered: without the answers it would have asked. */
function isAnswered(one: PlacedRule, truth: Truth, answers: JsonObject, silent: Ask, flaw: Flaw | undefined): boolean {
  if (one.rule.effect !== "clarify" || truth !== false) return false;
  const complete = (one.rule.questions ?? []).every(({ id, type }) => typeof answers[id] === type);
  if (!complete) return false;
  return flaw === "silent-clarify-permits" || truthOf(one, silent) === true;
}

const isOdd = ({ rule }: PlacedRule, id: string, answer: JsonValue) =>
  (rule.questions ?? []).some((question) => question.id === id && question.type !== typeof answer);

function rightly(one: PlacedRule, answers: JsonObject, flaw: Flaw | undefined): boolean {
  return (
    flaw === "answer-of-another-type-counts" || !Object.entries(answers).some(([id, answer]) => isOdd(one, id, answer))
  );
}

/** An answer of another type is none to the rule that asks, though another rule asks for it by the same name. */
function withoutOdd(one: PlacedRule, answers: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(answers).filter(([id, answer]) => !isOdd(one, id, answer)));
}

/** The answers to questions that are asked, in the type they are asked for; blank ones are none. */
function validAnswers(questions: readonly Question[], { answers }: Facts, flaw: Flaw | undefined): JsonObject {
  return Object.fromEntries(
    Object.entries(answers).filter(([id, answer]) => {
      if (typeof answer === "string" && answer.trim() === "") return false;
      const asked = questions.filter((question) => question.id === id);
      return asked.some(({ type }) => type === typeof answer || flaw === "answer-of-another-type-counts");
    }),
  );
}

/** The input with every change of every transform; or why there is none. */
function changedInput(
  input: JsonObject,
  applied: readonly PlacedRule[],
  ask: Ask,
  flaw: Flaw | undefined,
): JsonObject | "transform_conflict" | "transform_invalid" {
  const changes: { readonly path: readonly string[]; readonly value: JsonValue }[] = [];
  for (const { rule, policy } of applied) {
    for (const [path, written] of Object.entries(rule.set ?? {})) {
      const value = settled(written, (text) => ask(text, policy));
      if (value instanceof Unknown) return "transform_invalid";
      const keys = path.split(".");
      const clash = changes.find((change) => isPrefix(change.path, keys) || isPrefix(keys, change.path));
      if (!clash) changes.push({ path: keys, value });
      else if (flaw === "first-transform-wins") continue;
      else if (clash.path.length !== keys.length || canonical(clash.value) !== canonical(value))
        return "transform_conflict";
    }
  }
  if (changes.length === 0) return input;
  const changed = JSON.parse(JSON.stringify(input)) as Record<string, JsonValue>;
  for (const { path, value } of changes) {
    let map = changed;
    for (const key of path.slice(0, -1)) {
      // Null on the way is nothing, for a path that is set as for one that is read.
      if (!Object.hasOwn(map, key) || map[key] === null) map[key] = {};
      const inner = map[key];
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return "transform_invalid";
      map = inner as Record<string, JsonValue>;
    }
    map[path.at(-1) ?? ""] = value;
  }
  return changed;
}

function settled(written: JsonValue, ask: (text: string) => Answer): JsonValue | Unknown {
  const isMap = typeof written === "object" && written !== null && !Array.isArray(written);
  if (!isMap || !("expr" in written)) return written;
  const value = ask(String(written.expr));
  return value instanceof Unknown ? value : asJson(value);
}

function isPrefix(shorter: readonly string[], longer: readonly string[]): boolean {
  return shorter.length <= longer.length && shorter.every((key, index) => longer[index] === key);
}

function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
