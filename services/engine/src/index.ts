export type { Amount } from "./amount.ts";
export { type Compiled, type CompileSource, compile, compileInSlices } from "./compile/compile.ts";
export { type GlobIndex, indexGlobs } from "./compile/glob-index.ts";
export { compileGlobs, type NameTest } from "./compile/pattern.ts";
export { schemaProblem } from "./compile/schema.ts";
export {
  type ChangeKind,
  type DocumentChange,
  diffDocuments,
  type FieldChange,
  type RuleChange,
} from "./diff/document-diff.ts";
export {
  type ComparedCall,
  type ComparedOutcome,
  type Direction,
  diffOutcomes,
  type OutcomeChange,
  type OutcomesDiff,
} from "./diff/outcome-diff.ts";
export type { AgentDocument, AgentSpec } from "./documents/agent.ts";
export type { BudgetDocument } from "./documents/budget.ts";
export { rememberFar, type Unplaced, unplacedIn, withPlaces } from "./documents/far-origin.ts";
export type { GroupDocument } from "./documents/group.ts";
export type { Mode } from "./documents/mode.ts";
export { placeIn } from "./documents/origin.ts";
export { type Documents, noDocuments, parseDocuments, parseInSlices } from "./documents/parse.ts";
export type { Effect, PolicyDocument } from "./documents/policy.ts";
export { formatProblem, type Problem } from "./documents/problem.ts";
export { type ProblemCode, problemCodes } from "./documents/problem-code.ts";
export { scopeProblem } from "./documents/read-scope.ts";
export { documentSchemas, everyDocumentSchema } from "./documents/schemas.ts";
export type { Risk, ToolDocument } from "./documents/tool.ts";
export type { CostDocument, ToleranceDocument } from "./documents/tool-cost.ts";
export type { SourceFile } from "./documents/yaml-tree.ts";
export { parseDurationMs } from "./duration.ts";
export type { ExplainedCheck } from "./explain/checks.ts";
export type { ConditionOutcome, ExplainedCondition, ExplainedSetting } from "./explain/conditions.ts";
export {
  type ConsideredRule,
  type Explanation,
  explain,
  explainInSlices,
  type SkippedRules,
} from "./explain/explain.ts";
export { explanationLines, type ToldExplanation } from "./explain/explanation-text.ts";
export type { ExplainedPart } from "./explain/parts.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { type Charged, type CostProblem, costOf, estimateFor, toleranceOf } from "./judge/charges.ts";
export { barredTool, evaluate } from "./judge/evaluate.ts";
export type { Facts } from "./judge/facts.ts";
export type { Bound } from "./judge/limit.ts";
export { judgeScopes, type Scope } from "./judge/scope.ts";
export { type ScopeExcess, scopeExcesses } from "./judge/subset.ts";
export { permitsAll, readScopes, type ScopesRead, type ToolScope } from "./judge/tool-scope.ts";
export type {
  ApprovalRequirement,
  Constraint,
  Question,
  RuleRef,
  UnknownRule,
  Verdict,
  VerdictCode,
  WouldBe,
} from "./judge/verdict.ts";
export { type CedarRead, type CedarTexts, readCedar } from "./languages/cedar/read-texts.ts";
export { keysRedactedNoMore } from "./lint/key-redacted.ts";
export { type KnownNames, namesOfAll, namesOfAllInSlices, namesOfFiles } from "./lint/known-names.ts";
export { lint, lintInSlices } from "./lint/lint.ts";
export { type RedactedPaths, redactedPaths } from "./lint/redacted-paths.ts";
export type { ConditionCoverage, Coverage, RuleCoverage } from "./testing/coverage.ts";
export {
  type PolicyTestFailure,
  type PolicyTestOptions,
  type PolicyTestResult,
  type PolicyTestRun,
  runPolicyTests,
} from "./testing/policy-tests.ts";
export { type TestCall, testCalls } from "./testing/test-calls.ts";
export { completeFacts, mergeFacts, parseFacts, toFacts } from "./testing/written-facts.ts";
export { engineVersion } from "./version.ts";
export { warmUp } from "./warm-up/warm-up.ts";
