import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { Problem } from "@remit/engine";

const uriOf = (file: string) =>
  isAbsolute(file) ? pathToFileURL(file).href : file.split("/").map(encodeURIComponent).join("/");

function textOf({ message, expected, nearest }: Problem): string {
  const more = [expected && `Expected: ${expected}`, nearest && `Did you mean: ${nearest}`].filter(Boolean);
  return [message, ...more].join(". ");
}

/** Problems as a log of SARIF 2.1.0 (OASIS), which code scanners and editors read. Columns are UTF-16 units, as ours. */
export function sarifLog(problems: readonly Problem[], meanings: Readonly<Record<string, string>>, version: string) {
  const codes = [...new Set(problems.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "remit",
            version,
            rules: codes.map((id) => ({ id, shortDescription: { text: meanings[id] ?? id } })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: problems.map((problem) => ({
          ruleId: problem.code,
          ruleIndex: codes.indexOf(problem.code),
          level: problem.severity,
          message: { text: textOf(problem) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(problem.file) },
                ...(problem.line > 0 && { region: { startLine: problem.line, startColumn: problem.column } }),
              },
            },
          ],
        })),
      },
    ],
  };
}
