import { originReporter } from "../documents/origin.ts";
import type { Problem } from "../documents/problem.ts";
import { readYaml, type SourceFile } from "../documents/yaml-tree.ts";
import type { JsonObject } from "../json.ts";
import { countCases, expandCases } from "./expand-cases.ts";
import { testCasesMax } from "./policy-tests.ts";
import { readPolicyTest } from "./read-policy-test.ts";

/** What a case of a test asks about, whatever it expects. */
export interface TestCall {
  readonly file: string;
  readonly name: string;
  /** Facts as they are written; {@link completeFacts} reads them. */
  readonly written: JsonObject;
}

/** The calls of test documents; at most 100,000 of all files. */
export function testCalls(files: readonly SourceFile[]): { calls: TestCall[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const calls: TestCall[] = [];
  let left = testCasesMax;
  for (const file of files) {
    for (const { value, origin } of readYaml(file, problems)) {
      const report = originReporter(origin, problems);
      const test = readPolicyTest(value, "", report);
      left -= test ? countCases(test) : 0;
      if (!test || left < 0) {
        if (test) report("", "too many cases", { expected: `at most ${testCasesMax} in all files together` });
        continue;
      }
      for (const { name, facts } of expandCases(test, report)) calls.push({ file: file.file, name, written: facts });
    }
  }
  return { calls, problems };
}
