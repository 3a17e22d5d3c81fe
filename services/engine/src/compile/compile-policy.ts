import type { ToolFacts } from "../cel/frame.ts";
import type { PathUse } from "../cel/node.ts";
import { below, type Report } from "../documents/origin.ts";
import type { MatchDocument, PolicyDocument, RuleDocument } from "../documents/policy.ts";
import { isExpression } from "../documents/read-policy.ts";
import { parseDurationMs } from "../duration.ts";
import { type PolicyExpressions, policyExpressions } from "./condition.ts";
import { compileConstraints } from "./constraints.ts";
import { compileGlobs, type NameTest } from "./pattern.ts";
import type { CompiledCondition, CompiledRule, Setting } from "./rule.ts";

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
  readonly rules: readonly { readonly rule: CompiledRule; readonly match: CompiledMatch }[];
}

interface CompiledMatch {
  readonly tools: NameTest | undefined;
  readonly servers: NameTest | undefined;
  readonly risk: readonly string[] | undefined;
}

/** Whether a rule could match calls of a tool: every selector that is given must fit. */
export function matchesTool(match: CompiledMatch, tool: ToolFacts): boolean {
  if (match.tools && !match.tools(tool.name)) return false;
  if (match.servers && !(tool.server !== undefined && match.servers(tool.server))) return false;
  return !match.risk || match.risk.includes(tool.risk);
}

export function compilePolicy(document: PolicyDocument, version: number, report: Report): CompiledPolicy {
  const { spec, metadata } = document;
  const expressions = policyExpressions(spec.variables ?? {}, report);
  const observed = spec.mode === "observe";
  const reads = spec.rules.map((): PathsRead[] => []);
  const rules = spec.rules.map((rule, index) => {
    const compiled = compileRule(rule, {
      expressions,
      pointer: below("/spec/rules", index),
      reads: (read) => reads[index]?.push(read),
    });
    const ref = { policy: metadata.name, version, rule: rule.id };
    const requirement = compiled.requirement && { ...compiled.requirement, rule: ref };
    return {
      rule: { ...compiled, ref, observed, ...(requirement ? { requirement } : {}) },
      match: compileMatch(rule.match),
    };
  });
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

function compileMatch({ tools, servers, risk }: MatchDocument): CompiledMatch {
  return { tools: tools && compileGlobs(tools), servers: servers && compileGlobs(servers), risk };
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
