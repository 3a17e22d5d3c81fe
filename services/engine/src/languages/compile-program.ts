import { Failure } from "../cel/value.ts";
import type { CompiledRule } from "../compile/rule.ts";
import type { Steps } from "../compile/steps.ts";
import type { PolicyDocument } from "../documents/policy.ts";
import { compileCedar } from "./cedar/compile-cedar.ts";
import type { Program, ProgramCompiling } from "./program.ts";
import { compileRego } from "./rego/compile-rego.ts";

/**
 * A policy in another language as two rules that stand for all of its own: one is asked for transforms, on the input as
 * it was proposed, and one for everything else, on what the transforms made of it. What they answer is judged instead.
 */
export function* compileProgram(document: PolicyDocument, compiling: ProgramCompiling): Steps<CompiledRule[]> {
  const { language } = document.spec;
  const compile = language === "rego" ? compileRego : compileCedar;
  const program = (yield* compile(document, compiling)) ?? nothing;
  const { policy, version, observed } = compiling;
  const asked = {
    ref: { policy, version, rule: language ?? "" },
    observed,
    when: [{ text: `an answer of the ${language} policy`, judge: () => false }],
    unless: [],
    constraints: [],
    settings: [],
    told: 0,
    program,
  };
  return [
    { ...asked, effect: "transform", questions: [] },
    { ...asked, effect: "deny", questions: program.questions },
  ];
}

/** In the place of a program that does not compile: with its problems nothing is put in force. */
const fails = () => new Failure("error", "the policy did not compile");
const nothing: Program = { questions: [], transforms: fails, others: fails };
