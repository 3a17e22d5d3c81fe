import { create } from "@bufbuild/protobuf";
import type { Problem, SourceFile } from "@remit/engine";
import { Problem_Severity, ProblemSchema, type Problem as WireProblem } from "@remit/proto/common";
import { invalid } from "../../foundation/fault.ts";
import { mapInSlices } from "../../foundation/in-slices.ts";
import { limits } from "../../foundation/limits.ts";
import { turnOfTheLoop } from "../../foundation/turn-of-the-loop.ts";
import { requiredText } from "./fields.ts";

function problemToWire(problem: Problem): WireProblem {
  const { file, line, column, severity, code, message, excerpt, expected, nearest } = problem;
  return create(ProblemSchema, {
    file,
    line,
    column,
    code,
    message,
    severity: severity === "error" ? Problem_Severity.ERROR : Problem_Severity.WARNING,
    excerpt: excerpt ?? "",
    expected: expected ?? "",
    nearest: nearest ?? "",
  });
}

/** Problems that are written between two turns: there may be some thousands. */
const AT_ONCE_MAX = 200;

export const problemsToWire = (problems: readonly Problem[]): Promise<WireProblem[]> =>
  mapInSlices(problems, turnOfTheLoop, problemToWire, AT_ONCE_MAX);

/** A document's source, which must be there. */
export function sourceFrom(source: { file: string; text: string } | undefined, field: string): SourceFile {
  if (!source || source.text === "")
    throw invalid(field, `${field} is missing`, { fix: "send its file name and text" });
  return { file: requiredText(source.file || "document", `${field}.file`, limits.purposeBytesMax), text: source.text };
}
