import type { PolicyTestFailure, PolicyTestRun } from "@remit/engine";
import type { Paint } from "../paint.ts";

const indented = (text: string) => text.replace(/^/gm, "      ");

function place({ file, line, column }: Pick<PolicyTestFailure, "file" | "line" | "column">): string {
  return line > 0 ? `${file}:${line}:${column}` : file;
}

function failureLines(failure: PolicyTestFailure, paint: Paint): string[] {
  const { name, message, differences, explanation } = failure;
  const head = `${paint.red("FAIL")}  ${place(failure)}: ${name}`;
  if (differences.length === 0) return [head, indented(message)];
  const width = Math.max(...differences.map(({ what }) => what.length));
  const diff = differences.flatMap(({ what, expected, actual }) => [
    `      ${what.padEnd(width)}  ${paint.green(`- expected  ${expected}`)}`,
    `      ${" ".repeat(width)}  ${paint.red(`+ actual    ${actual}`)}`,
  ]);
  return [head, ...diff, `      ${paint.dim(failure.said)}`, ...explanation.map((line) => `      ${line}`)];
}

/** How cases ended, for people: the failures, and with `verbose` each case. */
export function runLines({ cases, failed }: PolicyTestRun, verbose: boolean, paint: Paint): string[] {
  if (!verbose) return failed.flatMap((failure) => failureLines(failure, paint));
  const byIndex = new Map(failed.map((failure) => [failure.index, failure]));
  const unread = failed.filter(({ index }) => index === undefined);
  const run = cases.flatMap((one) => {
    const failure = byIndex.get(one.index);
    return failure ? failureLines(failure, paint) : [`${paint.green("ok")}    ${place(one)}: ${one.name}`];
  });
  return [...unread.flatMap((failure) => failureLines(failure, paint)), ...run];
}
