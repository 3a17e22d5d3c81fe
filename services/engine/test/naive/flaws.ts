/**
 * Ways in which the naive evaluator can be wrong on purpose: mistakes that an engine could well make. The differential
 * must find each of them, or it proves nothing.
 */
export const flaws = [
  "unknown-deny-is-skipped",
  "unknown-allow-matches",
  "unknown-transform-is-ignored",
  "unknown-escalation-is-skipped",
  "unknown-grant-permits",
  "unknown-allow-drops-constraints",
  "not-of-unknown-is-true",
  "unknown-ends-a-conjunction",
  "doubles-divide-as-ints",
  "ints-of-schemas-are-doubles",
  "variables-leak-between-passes",
  "others-see-the-proposed-input",
  "first-transform-wins",
  "transformed-input-escapes-the-scope",
  "glob-ends-at-its-star",
  "label-is-ignored",
  "risk-is-ignored",
  "server-is-ignored",
  "unless-wants-any",
  "when-wants-any",
  "escalate-outranks-clarify",
  "grant-ignores-version",
  "answer-of-another-type-counts",
  "silent-clarify-permits",
  "missing-argument-is-within-its-bound",
  "one-scope-is-enough",
  "observed-policy-binds",
  "observed-subject-forgets-would",
  "suspended-tool-runs",
  "changed-schema-passes",
  "maximum-is-ignored",
  "context-goes-unchecked",
  "unsupported-constraint-passes",
  "longest-timeout-wins",
  "rules-of-one-policy-only",
] as const;

export type Flaw = (typeof flaws)[number];
