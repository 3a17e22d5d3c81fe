import { finish, finishInSlices, type Steps } from "../compile/steps.ts";
import { type Report, reporter } from "../documents/origin.ts";
import type { Documents } from "../documents/parse.ts";
import type { PolicyDocument } from "../documents/policy.ts";
import type { Problem } from "../documents/problem.ts";
import { assertedOnly } from "./asserted-only.ts";
import { budgetUndeclared } from "./budget-undeclared.ts";
import { ruleExpressions, variableExpressions } from "./expressions.ts";
import { groupUndeclared } from "./group-undeclared.ts";
import { helperAdvised } from "./helper-advised.ts";
import { hiddenText } from "./hidden-text.ts";
import { hostPart } from "./host-part.ts";
import type { KnownNames } from "./known-names.ts";
import { labelUnknown } from "./label-unknown.ts";
import type { ExpressionWarning, PolicyLint, RuleWarning } from "./look.ts";
import { confusableArguments, confusableNames } from "./name-confusable.ts";
import { patternUnanchored } from "./pattern-unanchored.ts";
import { excludesItself, neverHolds, shadowedRules } from "./reach.ts";
import { serverUnknown } from "./server-unknown.ts";

// Every warning is a file of this room. Some look at a rule, some at each expression wherever it stands.
const ruleWarnings: readonly RuleWarning[] = [
  hostPart,
  patternUnanchored,
  assertedOnly,
  groupUndeclared,
  serverUnknown,
];
const expressionWarnings: readonly ExpressionWarning[] = [helperAdvised, budgetUndeclared, hiddenText];

/** Most of a rule's cost is parsing its conditions once more. */
const expressionCost = 10;
const ruleCost = 2;
/** A variable is looked at beside the arguments of this many of its policy's tools. */
const variableToolsMax = 200;

/** The first tools that rules name. */
function toolsOf(rules: PolicyDocument["spec"]["rules"]): readonly string[] {
  const names = new Set<string>();
  for (const { match } of rules) {
    for (const name of match.tools ?? []) if (names.add(name).size === variableToolsMax) return [...names];
  }
  return [...names];
}

function* lintPolicy(document: PolicyDocument, known: KnownNames, report: Report): Steps<void> {
  const { rules } = document.spec;
  yield* labelUnknown(document, known, report);
  const variables = variableExpressions(document);
  yield variables.size * expressionCost;
  const policy: PolicyLint = {
    variables,
    known,
    report,
    followed: new Set(),
    roots: new Map(),
    compared: { times: 0 },
  };
  const everyTool = variables.size > 0 ? toolsOf(rules) : [];
  for (const variable of variables.values()) {
    for (const warn of expressionWarnings) warn(variable, everyTool, policy);
    yield ruleCost;
  }
  for (const [index, rule] of rules.entries()) {
    const written = ruleExpressions(rule, `/spec/rules/${index}`);
    for (const warn of ruleWarnings) warn(written, policy);
    neverHolds(written, report);
    excludesItself(written, known.tools, report);
    const expressions = [...written.when, ...written.unless, ...written.set];
    for (const expression of expressions) {
      for (const warn of expressionWarnings) warn(expression, rule.match.tools ?? [], policy);
    }
    yield ruleCost + expressions.length * expressionCost;
  }
}

function* lintSteps(documents: Documents, known: KnownNames): Steps<Problem[]> {
  const problems: Problem[] = [];
  const reportOf = (policy: PolicyDocument) => reporter(policy, `policy ${policy.metadata.name}`, problems);
  for (const policy of documents.policies) yield* lintPolicy(policy, known, reportOf(policy));
  yield* shadowedRules(documents.policies, reportOf);
  for (const tool of documents.tools) {
    confusableArguments(tool, reporter(tool, `tool ${tool.metadata.name}`, problems));
    yield ruleCost;
  }
  yield* confusableNames(documents, problems);
  return problems;
}

/**
 * Warns of what compiles and is probably not what was meant: `known` is what the documents may name, themselves
 * included. Each warning has a code of its own.
 */
export function lint(documents: Documents, known: KnownNames): Problem[] {
  return finish(lintSteps(documents, known));
}

/** The same in slices of some milliseconds; between them it awaits `pause`. */
export function lintInSlices(documents: Documents, known: KnownNames, pause: () => Promise<void>): Promise<Problem[]> {
  return finishInSlices(lintSteps(documents, known), pause);
}
