import type { Report } from "../documents/origin.ts";
import type { RuleWritten, Written } from "./expressions.ts";
import type { KnownNames } from "./known-names.ts";

/** What a warning may look at beside a rule or an expression of a policy, and what it has seen of the policy already. */
export interface PolicyLint {
  readonly variables: ReadonlyMap<string, Written>;
  readonly known: KnownNames;
  readonly report: Report;
  /** Variables that a warning has followed: each is looked at once, however many rules use it. */
  readonly followed: Set<string>;
  /** The facts that each variable begins with. */
  readonly roots: Map<string, ReadonlySet<string>>;
  /** How often globs and names were compared. */
  readonly compared: { times: number };
}

export type RuleWarning = (written: RuleWritten, policy: PolicyLint) => void;

/** `tools` are the names and globs that the expression's rule matches. */
export type ExpressionWarning = (written: Written, tools: readonly string[], policy: PolicyLint) => void;
