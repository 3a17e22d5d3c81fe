import type { Problem } from "@remit/engine";
import { expect, test } from "vitest";
import { painter } from "../paint.ts";
import { githubAnnotation } from "./github.ts";
import { problemCount, problemText } from "./problem-text.ts";
import { sarifLog } from "./sarif.ts";

const error: Problem = {
  ...{ file: "a b/p.yaml", line: 8, column: 7, severity: "error", code: "key_unknown" },
  ...{ message: "unknown key `efect`", excerpt: "  efect: allow\n  ^", expected: "id, effect", nearest: "effect" },
};
const warning: Problem = {
  ...{
    file: "policy p",
    line: 0,
    column: 0,
    severity: "warning",
    code: "asserted_only",
    message: "100% sure,\nor not",
  },
};

test("a problem is told with its code, its line and a caret, in colour where colours are wanted", () => {
  expect(problemText(error, painter(false))).toBe(
    [
      "a b/p.yaml:8:7: error: unknown key `efect` [key_unknown]",
      "      efect: allow",
      "      ^",
      "  expected: id, effect",
      "  did you mean: effect",
    ].join("\n"),
  );
  expect(problemText(error, painter(true))).toContain("\x1b[31merror\x1b[0m");
  expect(problemText(warning, painter(true))).toContain("\x1b[33mwarning\x1b[0m");
});

test("what was found is counted, with its files", () => {
  expect(problemCount([error, error, warning])).toBe("2 errors, 1 warning in 2 files");
  expect(problemCount([warning])).toBe("0 errors, 1 warning in 1 file");
});

test("an annotation is one line whatever the message holds", () => {
  expect(githubAnnotation(error)).toBe(
    "::error file=a b/p.yaml,line=8,col=7,title=key_unknown::unknown key `efect`%0Aexpected: id, effect%0Adid you mean: effect",
  );
  expect(githubAnnotation(warning)).toBe("::warning file=policy p,title=asserted_only::100%25 sure,%0Aor not");
});

test("a SARIF log has every code once, and each result where it stands", () => {
  const log = sarifLog([error, error, warning], { key_unknown: "There is no such key here." }, "0.1.0");
  const [run] = log.runs;
  expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(["asserted_only", "key_unknown"]);
  expect(run?.results.map(({ ruleIndex, level }) => [ruleIndex, level])).toEqual([
    [1, "error"],
    [1, "error"],
    [0, "warning"],
  ]);
  expect(run?.results[0]?.locations[0]?.physicalLocation).toEqual({
    artifactLocation: { uri: "a%20b/p.yaml" },
    region: { startLine: 8, startColumn: 7 },
  });
  expect(run?.results[2]?.locations[0]?.physicalLocation).toEqual({ artifactLocation: { uri: "policy%20p" } });
});
