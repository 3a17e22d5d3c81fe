import type { Problem, ProblemCode } from "@remit/engine";
import { Problem_Severity, type Problem as WireProblem } from "@remit/proto/common";
import { type Io, paintFor } from "./cli.ts";
import { problemCount, problemText } from "./diagnostics/problem-text.ts";

/** A problem that the service found, as the engine writes the ones it finds itself. */
export function fromWire(problem: WireProblem): Problem {
  const { file, line, column, message, excerpt, expected, nearest } = problem;
  // A newer service may know more kinds, an older one names none.
  const code = (problem.code === "" ? "value_invalid" : problem.code) as ProblemCode;
  return {
    file,
    line,
    column,
    code,
    message,
    severity: problem.severity === Problem_Severity.WARNING ? "warning" : "error",
    ...(excerpt === "" ? {} : { excerpt }),
    ...(expected === "" ? {} : { expected }),
    ...(nearest === "" ? {} : { nearest }),
  };
}

/** Whether documents with these problems are refused. */
export function refuses(problems: readonly Problem[], strict: boolean): boolean {
  return problems.some(({ severity }) => strict || severity === "error");
}

/** Writes problems to the error output, then how many there were. */
export async function printProblems(io: Io, problems: readonly Problem[]): Promise<void> {
  if (problems.length === 0) return;
  const paint = paintFor(io);
  for (const problem of problems) io.err(`${problemText(problem, paint)}\n`);
  io.err(problemCount(problems));
}
