import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Problem, SourceFile } from "@remit/engine";
import { Problem_Severity, type ProblemSchema } from "@remit/proto/common";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { requiredText } from "./fields.ts";

export function problemToWire(problem: Problem): MessageInitShape<typeof ProblemSchema> {
  const { file, line, column, severity, code, message, excerpt, expected, nearest } = problem;
  return {
    file,
    line,
    column,
    code,
    message,
    severity: severity === "error" ? Problem_Severity.ERROR : Problem_Severity.WARNING,
    excerpt: excerpt ?? "",
    expected: expected ?? "",
    nearest: nearest ?? "",
  };
}

/** A document's source, which must be there. */
export function sourceFrom(source: { file: string; text: string } | undefined, field: string): SourceFile {
  if (!source || source.text === "")
    throw invalid(field, `${field} is missing`, { fix: "send its file name and text" });
  return { file: requiredText(source.file || "document", `${field}.file`, limits.purposeBytesMax), text: source.text };
}
