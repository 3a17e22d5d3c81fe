import type { Frame } from "../cel/frame.ts";
import type { Failure } from "../cel/value.ts";
import type { PolicyExpressions } from "../compile/condition.ts";
import { type CompiledRule, namedRule, type UnnamedRule } from "../compile/rule.ts";
import type { Report } from "../documents/origin.ts";
import type { QuestionDocument, RuleDocument } from "../documents/policy.ts";

/**
 * The rules that match a call, each as a rule of our own without conditions; or why the program cannot say, which denies
 * the call. Takes its work from the evaluation's meter. The same frame gives the same answer.
 */
export type Ask = (frame: Frame) => readonly CompiledRule[] | Failure;

/** A policy in another language, ready to be asked about calls. */
export interface Program {
  /** The transforms that match a call. */
  readonly transforms: Ask;
  /** Everything else that matches. */
  readonly others: Ask;
  /** Every question that an answer may ask. */
  readonly questions: readonly QuestionDocument[];
}

/** Compiles a rule without conditions as native policies compile theirs. */
export type CompileRule = (
  rule: RuleDocument,
  compiling: { readonly expressions: PolicyExpressions; readonly pointer: string; readonly reads: () => void },
) => UnnamedRule;

/** What a language needs to compile a policy. */
export interface ProgramCompiling {
  readonly policy: string;
  readonly version: number;
  readonly observed: boolean;
  readonly report: Report;
  readonly compileRule: CompileRule;
}

type Named = Pick<ProgramCompiling, "policy" | "version" | "observed">;

/** A rule that an answer consists of, under its name in the policy; `text` is what people are shown of it. */
export function answeredRule(
  compiled: UnnamedRule,
  { policy, version, observed }: Named,
  { id, text }: { readonly id: string; readonly text: string },
): CompiledRule {
  const when = [{ text, judge: () => true }];
  return namedRule({ ...compiled, when }, { policy, version, rule: id }, observed);
}
