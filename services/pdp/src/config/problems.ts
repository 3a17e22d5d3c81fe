import type { ConfigKey } from "./schema.ts";

/** One value as somebody wrote it, and where. */
export interface Setting {
  readonly name: string;
  readonly place: string;
  readonly value: unknown;
}

export type Settings = Map<ConfigKey, Setting>;

/** One thing that must change before the service can start. */
export interface ConfigProblem {
  /** What to change, as its author spelt it: REMIT_WRITERS, `writers`, or several names. */
  readonly name: string;
  /** `file:line`, or where else it stands. */
  readonly place: string;
  /** What stands there; absent for secrets and for what is missing. */
  readonly value?: string;
  readonly message: string;
  readonly expected?: string;
  readonly fix: string;
}

function format(problem: ConfigProblem, number: number): string {
  const value = problem.value === undefined ? "" : ` = ${problem.value}`;
  const lines = [
    `  ${number}. ${problem.name}${value}   (${problem.place})`,
    `     ${problem.message}`,
    ...(problem.expected === undefined ? [] : [`     expected: ${problem.expected}`]),
    `     fix: ${problem.fix}`,
  ];
  return lines.join("\n");
}

/** All problems, for a person: what stands where, what was expected, what to do. Ends with a line break. */
export function formatConfigProblems(problems: readonly ConfigProblem[]): string {
  const head = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const list = problems.map((problem, at) => format(problem, at + 1)).join("\n\n");
  return `remit cannot start: ${head} in its configuration\n\n${list}\n\nEvery knob is described in docs/configuration.md.\n`;
}
