import { describe, expect, it } from "vitest";
import { linedText, problemAt } from "./origin.ts";
import { formatProblem } from "./problem.ts";

describe("a problem", () => {
  const at = (text: string, offset: number) => problemAt(linedText("a.yaml", text), offset, "wrong");

  it("knows its line and column, whatever ends the lines", () => {
    expect(at("a\nbc\r\nd", 0)).toMatchObject({ line: 1, column: 1, excerpt: "a\n^" });
    expect(at("a\nbc\r\nd", 3)).toMatchObject({ line: 2, column: 2, excerpt: "bc\n ^" });
    expect(at("a\nbc\r\nd", 6)).toMatchObject({ line: 3, column: 1, excerpt: "d\n^" });
    expect(at("", 0)).toMatchObject({ line: 1, column: 1 });
    expect(at("a\n", 2)).toMatchObject({ line: 2, column: 1 });
  });

  it("keeps its caret below its character, behind tabs and in long lines", () => {
    expect(at("\ta: b", 4).excerpt).toBe("\ta: b\n\t   ^");
    const [shown = "", caret = ""] = (at(`${"x".repeat(5000)}HERE${"y".repeat(5000)}`, 5000).excerpt ?? "").split("\n");
    expect(shown.length).toBeLessThanOrEqual(120);
    expect(shown.slice(caret.length - 1)).toMatch(/^HERE/);
  });

  it("without a place names its file alone", () => {
    const problem = {
      file: "policy p",
      line: 0,
      column: 0,
      severity: "warning" as const,
      code: "value_invalid" as const,
      message: "odd",
    };
    expect(formatProblem(problem)).toBe("policy p: warning: odd");
  });
});
