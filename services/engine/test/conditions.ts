import type { Frame } from "../src/cel/frame.ts";
import { Failure, type Outcome } from "../src/cel/value.ts";
import { policyExpressions } from "../src/compile/condition.ts";
import type { Facts } from "../src/index.ts";
import { evaluationStepsMax } from "../src/judge/judge.ts";
import { sampleFacts } from "./sample.ts";

/** The value of an expression over facts; a failure as `unknown: why`. Throws what does not compile. */
export function resultOf(text: string, facts: Partial<Facts> = {}, variables: Record<string, string> = {}): unknown {
  const outcome = outcomeOf(text, facts, variables);
  return outcome instanceof Failure ? `unknown: ${outcome.why}` : outcome;
}

export function outcomeOf(text: string, facts: Partial<Facts> = {}, variables: Record<string, string> = {}): Outcome {
  const problems: string[] = [];
  const expressions = policyExpressions(variables, (_, message) => problems.push(message));
  const compiled = expressions.value(text, "");
  if (!compiled) throw new Error(problems.join("; "));
  return compiled.run(frameOf({ ...sampleFacts(), ...facts }));
}

/** What is wrong with an expression. */
export function complaintsOf(text: string, variables: Record<string, string> = {}): string[] {
  const problems: string[] = [];
  policyExpressions(variables, (_, message, details) => {
    problems.push(details?.nearest === undefined ? message : `${message} (${details.nearest}?)`);
  }).condition(text, "");
  return problems;
}

export function frameOf(facts: Facts): Frame {
  return {
    facts,
    tool: { name: facts.call.tool, server: "bank", risk: "write", labels: { tier: "1" } },
    input: facts.input,
    answers: facts.answers,
    now: { text: facts.now, value: undefined },
    meter: { steps: evaluationStepsMax },
    variables: [],
    locals: [],
  };
}
