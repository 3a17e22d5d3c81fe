import { added } from "../added.ts";
import { below, type ProblemDetails, type Report } from "../documents/origin.ts";
import type { MatchDocument, PolicyDocument, RuleDocument } from "../documents/policy.ts";
import { isExpression } from "../documents/read-policy.ts";
import { parseDurationMs } from "../duration.ts";
import { compileProgram } from "../languages/compile-program.ts";
import type { FindTypes, ToolTypes } from "../typing/tool-types.ts";
import { checkSetting } from "./check-setting.ts";
import { type PolicyExpressions, policyExpressionsInSteps, type Reads, textCost } from "./condition.ts";
import { compileConstraints } from "./constraints.ts";
import { type CompiledCondition, type CompiledRule, namedRule, type Setting, type UnnamedRule } from "./rule.ts";
import { compilesAlike, type VariablesAlike } from "./rule-types.ts";
import { selectorKey } from "./selectors.ts";
import { finish, type Steps } from "./steps.ts";

/** Where an expression of a rule reads. */
export interface ExpressionReads extends Reads {
  readonly text: string;
  readonly pointer: string;
}

/** Something odd that compiling found and that is no error, to be said again when what was compiled is used again. */
type Complaint = readonly [pointer: string, message: string, details: ProblemDetails | undefined];

/** A rule of a policy, and which tools it is about. */
export interface PlacedRule {
  readonly rule: CompiledRule;
  readonly match: MatchDocument;
  /** Equal for rules whose matches name the same. */
  readonly key: string;
  /** The schemas that it was compiled for; undefined if it matched no registered tool. */
  readonly types: ToolTypes | undefined;
  readonly reads: readonly ExpressionReads[];
  readonly complaints: readonly Complaint[];
  /** The most steps that its expressions may take together, as far as schemas bound them; without variables. */
  readonly most: number;
}

/** A policy, compiled for the schemas of the tools that its rules can match. */
export interface CompiledPolicy {
  readonly document: PolicyDocument;
  readonly version: number;
  readonly observed: boolean;
  readonly labels: readonly (readonly [string, string])[];
  readonly variableCount: number;
  readonly rules: readonly PlacedRule[];
  /** The budgets that its conditions name; `every`: one in another language may look at any. */
  readonly budgets: ReadonlySet<string> | "every";
  /** About the policy whatever its rules match. */
  readonly complaints: readonly Complaint[];
}

interface PolicySource {
  readonly document: PolicyDocument;
  readonly version: number;
  readonly before: CompiledPolicy | undefined;
}

/**
 * Compiles a policy. Of `before`, the same document compiled for other tools, every rule is used again for which the
 * schemas still say the same, and the whole if all are.
 */
export function* compilePolicy(
  { document, version, before }: PolicySource,
  findTypes: FindTypes,
  report: Report,
): Steps<CompiledPolicy> {
  const said = new Set<string>();
  // A variable is compiled for every set of tools that its rules match, and has its problems each time.
  const say: Report = (pointer, message, details) => {
    const key = JSON.stringify([pointer, message, details?.within?.offset]);
    if (!said.has(key)) report(pointer, message, details);
    said.add(key);
  };
  const types: (ToolTypes | undefined)[] = [];
  const kept: (PlacedRule | undefined)[] = [];
  const alike: VariablesAlike = new Map();
  for (const [index, { match }] of document.spec.rules.entries()) {
    const now = findTypes(match);
    const rule = before?.rules[index];
    types.push(now);
    kept.push(rule && compilesAlike(rule, now, alike) ? rule : undefined);
    yield keptCost;
  }
  if (!before || kept.includes(undefined)) return yield* compileRules(document, version, { types, kept, say });
  for (const part of [before, ...before.rules]) repeat(part.complaints, say);
  return before;
}

/** What finding the tools of a rule costs, and whether they are the same to it as before. */
const keptCost = 0.2;

function repeat(complaints: readonly Complaint[], say: Report): void {
  for (const complaint of complaints) say(...complaint);
}

interface RulesCompiling {
  readonly types: readonly (ToolTypes | undefined)[];
  readonly kept: readonly (PlacedRule | undefined)[];
  readonly say: Report;
}

function* compileRules(
  document: PolicyDocument,
  version: number,
  { types, kept, say }: RulesCompiling,
): Steps<CompiledPolicy> {
  const { spec, metadata } = document;
  const observed = spec.mode === "observe";
  const complaints: Complaint[] = [];
  let heard = complaints;
  const hear: Report = (pointer, message, details) => {
    heard.push([pointer, message, details]);
    say(pointer, message, details);
  };
  const expressions = yield* policyExpressionsInSteps(spec.variables ?? {}, hear);
  const rules: PlacedRule[] = [];
  for (const [index, rule] of spec.rules.entries()) {
    const before = kept[index];
    if (before) {
      repeat(before.complaints, say);
      rules.push(before);
      continue;
    }
    const its: Complaint[] = [];
    heard = its;
    let reads: ExpressionReads[] = [];
    let most = 0;
    const ruleTypes = types[index];
    const compiled = yield* compileRuleInSteps(rule, {
      expressions: ruleTypes ? expressions.among(ruleTypes) : expressions,
      types: ruleTypes,
      report: hear,
      pointer: below("/spec/rules", index),
      reads: (read) => {
        reads = added(reads, read);
      },
      takes: (steps) => {
        most += steps;
      },
    });
    const ref = { policy: metadata.name, version, rule: rule.id };
    rules.push({
      rule: namedRule(compiled, ref, observed),
      match: rule.match,
      key: selectorKey(rule.match),
      types: ruleTypes,
      reads,
      complaints: its,
      most,
    });
    yield 1;
  }
  if (spec.match) {
    const { match } = spec;
    heard = complaints;
    const compiling = { policy: metadata.name, version, observed, report: hear, compileRule };
    const asked = yield* compileProgram(document, compiling);
    const read = { types: undefined, reads: [], complaints: [], most: 0 };
    for (const rule of asked) rules.push({ rule, match, key: selectorKey(match), ...read });
  }
  return {
    document,
    version,
    observed,
    labels: Object.entries(spec.appliesTo?.agents.matchLabels ?? {}),
    variableCount: expressions.variableCount,
    rules,
    budgets: spec.match ? "every" : budgetsRead(rules),
    complaints,
  };
}

function budgetsRead(rules: readonly PlacedRule[]): ReadonlySet<string> {
  const names = new Set<string>();
  const seen = new Set<Reads>();
  const add = (reads: Reads): void => {
    if (seen.has(reads)) return;
    seen.add(reads);
    for (const name of reads.budgets) names.add(name);
    for (const variable of reads.variables) add(variable);
  };
  for (const { reads } of rules) for (const read of reads) add(read);
  return names;
}

interface RuleCompiling {
  readonly expressions: PolicyExpressions;
  readonly types?: ToolTypes | undefined;
  readonly report?: Report;
  readonly pointer: string;
  /** Takes note of where an expression reads. */
  readonly reads: (read: ExpressionReads) => void;
  /** Takes note of what an expression may take. */
  readonly takes?: (steps: number) => void;
}

function compileRule(rule: RuleDocument, compiling: RuleCompiling): UnnamedRule {
  return finish(compileRuleInSteps(rule, compiling));
}

/** A condition, or a value that is set, at a time. */
function* compileRuleInSteps(rule: RuleDocument, compiling: RuleCompiling): Steps<UnnamedRule> {
  const { approval, message, remedy } = rule;
  const when = yield* compileConditions(rule.when ?? [], "when", compiling);
  const unless = yield* compileConditions(rule.unless ?? [], "unless", compiling);
  const settings: Setting[] = [];
  for (const [path, value] of Object.entries(rule.set ?? {})) {
    if (isExpression(value)) yield* compiling.expressions.prepare(value.expr);
    settings.push(compileSetting(path, value, compiling));
    yield textCost(isExpression(value) ? value.expr : "");
  }
  return {
    effect: rule.effect,
    when,
    unless,
    constraints: compileConstraints(rule.constraints ?? {}),
    settings,
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

function* compileConditions(
  texts: readonly string[],
  key: string,
  compiling: RuleCompiling,
): Steps<CompiledCondition[]> {
  let conditions: CompiledCondition[] = [];
  for (const [index, text] of texts.entries()) {
    const pointer = below(below(compiling.pointer, key), index);
    yield* compiling.expressions.prepare(text);
    const condition = compiling.expressions.condition(text, pointer);
    if (condition) {
      compiling.reads({ ...condition.reads, text, pointer });
      compiling.takes?.(condition.own ?? 0);
    }
    const made = condition ? { text, judge: condition.judge, key: condition.key } : { text, judge: neverJudged };
    conditions = added<CompiledCondition>(conditions, made);
    yield textCost(text);
  }
  return conditions;
}

function compileSetting(path: string, value: unknown, compiling: RuleCompiling): Setting {
  const keys = path.split(".");
  const pointer = below(below(compiling.pointer, "set"), path);
  if (!isExpression(value)) {
    const literal = value as NonNullable<Setting["literal"]>;
    const places = checkSetting(keys, { literal }, pointer, compiling);
    compiling.reads({ answers: [], places, budgets: [], variables: [], text: path, pointer });
    return { path: keys, literal };
  }
  const expression = compiling.expressions.value(value.expr, below(pointer, "expr"));
  const places = checkSetting(keys, { types: expression?.types ?? ["dyn"] }, pointer, compiling);
  if (!expression) return { path: keys };
  const { reads } = expression;
  compiling.takes?.(expression.own ?? 0);
  compiling.reads({
    ...{ ...reads, places: [...reads.places, ...places] },
    ...{ text: value.expr, pointer: below(pointer, "expr") },
  });
  return { path: keys, run: expression.run };
}
