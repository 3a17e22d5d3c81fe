export type { AgentDocument, AgentSpec } from "./agent.ts";
export type { Amount } from "./amount.ts";
export { type Compiled, type CompileSource, compile } from "./compile.ts";
export { parseDurationMs } from "./duration.ts";
export { estimateFor } from "./estimate.ts";
export { barredTool, evaluate } from "./evaluate.ts";
export { type ConsideredRule, type Explanation, explain } from "./explain.ts";
export type { Facts } from "./facts.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export type { Mode } from "./mode.ts";
export { type Documents, parseDocuments } from "./parse.ts";
export { compileGlobs, type NameTest } from "./pattern.ts";
export type { Effect, PolicyDocument } from "./policy.ts";
export { type PolicyTestFailure, runPolicyTests } from "./policy-tests.ts";
export { formatProblem, type Problem } from "./problem.ts";
export { schemaProblem } from "./schema.ts";
export type { Bound, Scope } from "./scope.ts";
export type { Risk, ToolDocument } from "./tool.ts";
export type {
  ApprovalRequirement,
  Constraint,
  Question,
  RuleRef,
  UnknownRule,
  Verdict,
  VerdictCode,
  WouldBe,
} from "./verdict.ts";
export { engineVersion } from "./version.ts";
export type { SourceFile } from "./yaml-tree.ts";
