import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemCodes } from "@remit/engine";
import { expect, test } from "vitest";
import { checkDocuments } from "../offline.ts";
import { painter } from "../paint.ts";
import { problemCount, problemText } from "./problem-text.ts";

const fixtures = join(import.meta.dirname, "../../test/fixtures/diagnostics");

async function screenful(): Promise<{ text: string; codes: string[] }> {
  const files = ["payments.yaml", "registered.yaml"].map((name) => ({
    file: `policies/${name}`,
    text: readFileSync(join(fixtures, name), "utf8"),
  }));
  const { problems } = await checkDocuments(files);
  const paint = painter(false);
  const told = problems.map((problem) => `${problemText(problem, paint)}\n`);
  return { text: [...told, problemCount(problems)].join("\n"), codes: problems.map(({ code }) => code) };
}

const codesTable = () =>
  Object.entries(problemCodes)
    .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
    .join("\n");

async function page(): Promise<string> {
  return `# Diagnostics

\`remit policy lint DIR\` checks every document of every file at once, without a service, and ends with 1 when something is wrong.
This page is written by a test from what the command says.

\`\`\`
${(await screenful()).text}
\`\`\`

\`--strict\` makes warnings errors. There is no way to silence one warning: what is not meant is better written otherwise, and
whoever reviews a policy sees all of them. Publishing checks the same again, beside everything that is registered; names
of agents' labels, servers, groups and budgets are judged here only among files that declare some.

| \`--format\` | for |
|---|---|
| \`text\` | people; in colour on a terminal, unless \`NO_COLOR\` is set |
| \`json\` | scripts: a list of \`file\`, \`line\` and \`column\` (from 1; 0 without a place), \`severity\`, \`code\`, \`message\`, and where there is one \`excerpt\`, \`expected\` and \`nearest\`. Fields may be added; codes keep their meaning |
| \`github\` | annotations of GitHub Actions |
| \`sarif\` | SARIF 2.1.0, for code scanning and editors |

## While writing

\`remit policy schema > remit.schema.json\` writes the JSON Schema of all kinds of documents, which the package carries too, as
\`dist/schemas/remit.schema.json\`. Editors with the YAML language server complete and check by it where a file begins with

\`\`\`
# yaml-language-server: $schema=remit.schema.json
\`\`\`

The schemas are made from what reads documents: whatever is read fits them. Conditions, names that stand twice and the
registered tools are checked by \`lint\` alone.

## Codes

| code | meaning |
|---|---|
${codesTable()}
`;
}

test("docs/diagnostics.md shows what lint says; run vitest with --update on this file to write it anew", async () => {
  const { codes } = await screenful();
  for (const code of ["value_invalid", "path_unknown", "tool_unregistered"]) expect(codes).toContain(code);
  expect(codes.length).toBeGreaterThan(5);
  await expect(await page()).toMatchFileSnapshot("../../../../docs/diagnostics.md");
});
