import type { PathUse } from "../cel/node.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument, PolicyDocument, RuleDocument } from "../documents/policy.ts";
import { isExpression } from "../documents/read-policy.ts";
import { parseDurationMs } from "../duration.ts";
import { compileProgram } from "../languages/compile-program.ts";
import { type PolicyExpressions, policyExpressions } from "./condition.ts";
import { compileConstraints } from "./constraints.ts";
import type { CompiledCondition, CompiledRule, Setting } from "./rule.ts";
import { selectorKey } from "./selectors.ts";
import type { Steps } from "./steps.ts";

/** Where an expression of a rule reads. */
export interface PathsRead {
  readonly paths: readonly PathUse[];
  /** The expression; undefined where the path itself was written. */
  readonly text: string | undefined;
  readonly pointer: string;
}

/** A policy, compiled without a look at the tools: {@link checkPolicy} compares the two. */
export interface CompiledPolicy {
  readonly document: PolicyDocument;
  readonly version: number;
  /** What its rules read, in the order of the rules. */
  readonly reads: readonly (readonly PathsRead[])[];
  readonly observed: boolean;
  readonly labels: readonly (readonly [string, string])[];
  readonly variableCount: number;
  readonly rules: readonly PlacedRule[];
}

/** A rule of a policy, and which tools it is about. */
export interface PlacedRule {
  readonly rule: CompiledRule;
  readonly match: MatchDocument;
  /** Equal for rules whose matches name the same. */
  readonly key: string;
}

export function* compilePolicy(document: PolicyDocument, version: number, report: Report): Steps<CompiledPolicy> {
  const { spec, metadata } = document;
  const expressions = policyExpressions(spec.variables ?? {}, report);
  const observed = spec.mode === "observe";
  const reads = spec.rules.map((): PathsRead[] => []);
  const rules: PlacedRule[] = [];
  for (const [index, rule] of spec.rules.entries()) {
    const compiled = compileRule(rule, {
      expressions,
      pointer: below("/spec/rules", index),
      reads: (read) => reads[index]?.push(read),
    });
    const ref = { policy: metadata.name, version, rule: rule.id };
    const requirement = compiled.requirement && { ...compiled.requirement, rule: ref };
    rules.push({
      rule: { ...compiled, ref, observed, ...(requirement ? { requirement } : {}) },
      match: rule.match,
      key: selectorKey(rule.match),
    });
    yield costOf(rule);
  }
  if (spec.match) {
    const { match } = spec;
    const compiling = { policy: metadata.name, version, observed, report, compileRule };
    const asked = yield* compileProgram(document, compiling);
    for (const rule of asked) rules.push({ rule, match, key: selectorKey(match) });
  }
  return {
    document,
    version,
    reads,
    observed,
    labels: Object.entries(spec.appliesTo?.agents.matchLabels ?? {}),
    variableCount: expressions.variableCount,
    rules,
  };
}

/** Parsing is what compiling a rule costs. */
function costOf({ when = [], unless = [], set = {} }: RuleDocument): number {
  const texts = [...when, ...unless, ...Object.values(set).map((value) => (isExpression(value) ? value.expr : ""))];
  return 1 + texts.reduce((cost, text) => cost + 2 + Math.ceil(text.length / 5), 0);
}

interface RuleCompiling {
  readonly expressions: PolicyExpressions;
  readonly pointer: string;
  /** Takes note of where an expression reads. */
  readonly reads: (read: PathsRead) => void;
}

function compileRule(rule: RuleDocument, compiling: RuleCompiling): Omit<CompiledRule, "ref" | "observed"> {
  const { approval, message, remedy } = rule;
  return {
    effect: rule.effect,
    when: compileConditions(rule.when ?? [], "when", compiling),
    unless: compileConditions(rule.unless ?? [], "unless", compiling),
    constraints: compileConstraints(rule.constraints ?? {}),
    settings: Object.entries(rule.set ?? {}).map(([path, value]) => compileSetting(path, value, compiling)),
    questions: rule.questions ?? [],
    ...(message === undefined ? {} : { message }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(approval?.summary === undefined ? {} : { summary: approval.summary }),
    ...(approval && {
      requirement: {
        rule: { policy: "", version: 0, rule: rule.id },
        approvers: approval.approvers,
        quorum: approval.quorum,
        expiresSeconds: Math.ceil((parseDurationMs(approval.expires) ?? 0) / 1000),
      },
    }),
  };
}

const neverJudged: CompiledCondition["judge"] = () => false;

function compileConditions(texts: readonly string[], key: string, compiling: RuleCompiling): CompiledCondition[] {
  return texts.map((text, index) => {
    const pointer = below(below(compiling.pointer, key), index);
    const condition = compiling.expressions.condition(text, pointer);
    compiling.reads({ paths: condition?.paths ?? [], text, pointer });
    return { text, judge: condition?.judge ?? neverJudged };
  });
}

function compileSetting(path: string, value: unknown, compiling: RuleCompiling): Setting {
  const keys = path.split(".");
  const pointer = below(below(compiling.pointer, "set"), path);
  compiling.reads({ paths: [{ root: "input", keys, offset: 0 }], text: undefined, pointer });
  if (!isExpression(value)) return { path: keys, literal: value as NonNullable<Setting["literal"]> };
  const expression = compiling.expressions.value(value.expr, below(pointer, "expr"));
  compiling.reads({ paths: expression?.paths ?? [], text: value.expr, pointer: below(pointer, "expr") });
  return { path: keys, ...(expression ? { run: expression.run } : {}) };
}
