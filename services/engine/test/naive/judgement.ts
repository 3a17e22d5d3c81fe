import { parse } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { RuleDocument } from "../../src/documents/policy.ts";
import type { Facts, JsonObject, PolicyDocument, ToolDocument } from "../../src/index.ts";
import type { Flaw } from "./flaws.ts";
import { timeOf } from "./functions.ts";
import { interpret } from "./interpret.ts";
import { budgetField, estimateOf } from "./money.ts";
import { type Answer, fromJson, missing, odd, type Schema, Span, type Truth, Unknown } from "./values.ts";

/** A rule of a policy and what it stands in. */
export interface PlacedRule {
  readonly rule: RuleDocument;
  readonly policy: PolicyDocument;
  readonly version: number;
}

/** Answers an expression of a policy, on one input and one set of answers. */
export type Ask = (text: string, policy: PolicyDocument) => Answer;

export type Parse = (text: string) => Expr;

/** Parses an expression, the same text once. */
export function parsing(): Parse {
  const parsed = new Map<string, Expr>();
  return (text) => {
    let expr = parsed.get(text);
    if (!expr) {
      // By the library, which has nothing in common with our own parser.
      expr = parse(text).expr;
      if (!expr) throw new Error(`${text}: it is empty`);
      parsed.set(text, expr);
    }
    return expr;
  };
}

/** Reads the facts for conditions. Nothing is remembered from one expression to the next. */
export function asking(
  parse: Parse,
  facts: Facts,
  tool: ToolDocument,
  input: JsonObject,
  answers: JsonObject,
  flaw: Flaw | undefined,
  leak: Map<string, Answer>,
): Ask {
  const typed = flaw !== "ints-of-schemas-are-doubles";
  const known = new Map<string, Answer>([
    ["input", fromJson(input, typed ? (tool.spec.inputSchema as Schema) : undefined)],
    ["context", fromJson(facts.context, typed ? (tool.spec.contextSchema as Schema) : undefined)],
    ["answers", fromJson(answers, undefined)],
    ["now", timeOf(facts.now)],
    ...fixedFacts(facts, tool, flaw),
  ]);
  const budget = (name: string, field: string): Answer =>
    budgetField(facts.budget && Object.hasOwn(facts.budget, name) ? facts.budget[name] : undefined, field, flaw);
  return (text, policy) => {
    const variable = (name: string): Answer => {
      const place = `${policy.metadata.name}.${name}`;
      if (flaw === "variables-leak-between-passes" && leak.has(place)) return leak.get(place) as Answer;
      const answer = walk(policy.spec.variables?.[name] ?? "");
      leak.set(place, answer);
      return answer;
    };
    const walk = (one: string) => interpret(parse(one), { facts: known, variable, budget, bound: new Map(), flaw });
    return walk(text);
  };
}

// Facts that were left out, or are not of their type, are as good as an argument like that.
const text = (value: unknown): Answer => (typeof value === "string" ? value : value === undefined ? missing : odd);
const count = (value: unknown): Answer => (Number.isSafeInteger(value) ? BigInt(value as number) : odd);
const kept = (value: number | undefined): Answer => (value === undefined ? missing : count(value));
const age = (seconds: unknown): Answer =>
  typeof seconds === "number" ? new Span(BigInt(Math.trunc(seconds * 1000)) * 1_000_000n) : odd;

function fixedFacts(facts: Facts, { metadata, spec }: ToolDocument, flaw: Flaw | undefined): [string, Answer][] {
  const { agent, principal, session, caller, call } = facts;
  return [
    ["call.tool", call.tool],
    ["call.attempt", count(call.attempt)],
    ["call.estimate", estimateOf(call.estimate, flaw)],
    ["tool.name", metadata.name],
    ["tool.server", spec.server ?? missing],
    ["tool.risk", spec.risk],
    ["tool.labels", fromJson(spec.labels ?? {}, undefined)],
    ["agent.id", text(agent.id)],
    ["agent.owner", text(agent.owner)],
    ["agent.score", kept(agent.score ?? (flaw === "missing-score-is-the-least" ? 300 : undefined))],
    ["agent.labels", fromJson(agent.labels, undefined)],
    ["principal.id", text(principal.id)],
    ["principal.verified", typeof principal.verified === "boolean" ? principal.verified : odd],
    ["principal.labels", fromJson(principal.labels, undefined)],
    ["session.id", text(session.id)],
    ["session.labels", fromJson(session.labels, undefined)],
    ["session.depth", count(session.depth)],
    ["session.purpose", text(session.purpose)],
    ["session.age", age(session.ageSeconds)],
    ["session.calls", kept(session.calls)],
    ["caller.id", text(caller.id)],
    ["caller.name", text(caller.name)],
  ];
}

/** Whether a rule's conditions hold: all of `when`, and not all of `unless`. */
export function truthOf({ rule, policy }: PlacedRule, ask: Ask, flaw?: Flaw): Truth {
  const truths = (texts: readonly string[]) =>
    texts.map((text): Truth => {
      const answer = ask(text, policy);
      return typeof answer === "boolean" || answer instanceof Unknown ? answer : odd;
    });
  const all = (given: readonly Truth[], any: boolean): Truth => {
    if (any && given.includes(true)) return true;
    if (given.includes(false)) return false;
    return given.find((truth) => truth instanceof Unknown) ?? true;
  };
  const wanted = all(truths(rule.when ?? []), flaw === "when-wants-any");
  const excepted =
    rule.unless && rule.unless.length > 0 ? all(truths(rule.unless), flaw === "unless-wants-any") : false;
  if (wanted === false || excepted === true) return false;
  return wanted === true && excepted === false ? true : odd;
}
