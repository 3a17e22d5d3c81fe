import type { ProblemCode } from "./problem-code.ts";

/** One thing wrong with a document. Lines and columns count from 1; both are 0 when the problem has no place. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  /** What kind of problem it is: stable, unlike its message. */
  readonly code: ProblemCode;
  readonly message: string;
  /** The offending source line, and below it a caret. */
  readonly excerpt?: string;
  readonly expected?: string;
  /** The nearest valid name, if one is near. */
  readonly nearest?: string;
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** A problem for people: place and message, the excerpt with its caret, what was expected and the nearest name. */
export function formatProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const lines = [`${place}: ${problem.severity}: ${problem.message}`];
  if (problem.excerpt !== undefined) lines.push(...problem.excerpt.split("\n").map((line) => `    ${line}`));
  if (problem.expected !== undefined) lines.push(`  expected: ${problem.expected}`);
  if (problem.nearest !== undefined) lines.push(`  did you mean: ${problem.nearest}`);
  return lines.join("\n");
}
