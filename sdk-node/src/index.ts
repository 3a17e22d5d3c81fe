export type { Amount } from "./amount.ts";
export type { CallRequest } from "./asked.ts";
export type { CallOptions } from "./book.ts";
export { type Client, type ClientStats, createClient, type Waiting } from "./client.ts";
export type { Constraint, ConstraintValue } from "./constraints.ts";
export {
  type Approval,
  type Decision,
  type Denied,
  type Effect,
  type Mode,
  mayRun,
  type Paused,
  type Permitted,
  type Question,
  type Reason,
  type Recorded,
  type RuleRef,
  type Would,
} from "./decision.ts";
export {
  defineBudget,
  defineGroup,
  definePolicy,
  defineTool,
  type PolicyDefinition,
  type PolicyRule,
} from "./define.ts";
export { ConstraintError, DeniedError, NothingSpent, PausedError, RemitError } from "./errors.ts";
export type { Json, JsonObject } from "./json.ts";
export type { Log, LogEvent } from "./log.ts";
export type { Notice } from "./notice.ts";
export type { ClientOptions } from "./options.ts";
export { type PausedCall, readPausedCall } from "./paused.ts";
export type { Outcome, Report, ReportResult } from "./report.ts";
export type { ToolRun, Work } from "./run.ts";
export { schemaDigest } from "./schema-digest.ts";
export type { Bound, Delegation, Principal, Scope, Session, SessionRequest } from "./session.ts";
export type { Timers } from "./timers.ts";
export type { TlsOptions } from "./tls.ts";
export type { Answers, GuardedTool, ToolCallOptions, ToolOptions } from "./tool.ts";
