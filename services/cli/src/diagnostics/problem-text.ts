import type { Problem } from "@remit/engine";
import { counted } from "../counted.ts";
import type { Paint } from "../paint.ts";

/** A problem for people: place, what is wrong and its code, the line with a caret, what was expected, the nearest name. */
export function problemText(problem: Problem, paint: Paint): string {
  const { file, line, column, severity, code, message, excerpt, expected, nearest } = problem;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const tint = severity === "error" ? paint.red : paint.yellow;
  const lines = [`${paint.bold(place)}: ${tint(severity)}: ${message} ${paint.dim(`[${code}]`)}`];
  const [source, caret] = excerpt?.split("\n") ?? [];
  if (source !== undefined) lines.push(`    ${source}`);
  if (caret !== undefined) lines.push(`    ${tint(caret)}`);
  if (expected !== undefined) lines.push(`  ${paint.dim("expected:")} ${expected}`);
  if (nearest !== undefined) lines.push(`  ${paint.dim("did you mean:")} ${paint.cyan(nearest)}`);
  return lines.join("\n");
}

/** `3 errors, 2 warnings in 4 files`. */
export function problemCount(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const files = new Set(problems.map(({ file }) => file)).size;
  return `${counted(errors, "error")}, ${counted(problems.length - errors, "warning")} in ${counted(files, "file")}`;
}
