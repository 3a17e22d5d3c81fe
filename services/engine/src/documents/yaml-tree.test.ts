import { describe, expect, it } from "vitest";
import { problemsOf } from "../../test/sample.ts";
import { parseDocuments } from "./parse.ts";
import type { Problem } from "./problem.ts";
import { readYaml } from "./yaml-tree.ts";

const deep = (levels: number, open: string, close: string) => `${open.repeat(levels)}x${close.repeat(levels)}`;

function read(text: string) {
  const problems: Problem[] = [];
  return { values: readYaml({ file: "t.yaml", text }, problems).map(({ value }) => value), problems };
}

const codes = (text: string) => [
  ...new Set(parseDocuments([{ file: "t.yaml", text }]).problems.map(({ code }) => code)),
];

describe("nesting", () => {
  it("is counted where brackets nest, not where texts and comments have some", () => {
    const brackets = "[{(".repeat(200);
    const text = `a: "${brackets}"\nb: '${brackets}'\nc: x${brackets}\n# ${brackets}\nd: |\n  ${brackets}\ne: [1] # ${brackets}\n`;
    const { values, problems } = read(text);
    expect(problems).toEqual([]);
    expect(values).toMatchObject([{ a: brackets, b: brackets, c: `x${brackets}`, d: `${brackets}\n`, e: [1] }]);
  });

  it("cannot be hidden behind brackets in texts that close nothing", () => {
    const { problems } = read(`a: ${'["]", '.repeat(5_000)}`);
    expect(problems).toMatchObject([{ code: "too_deep", line: 1, column: 4 + 6 * 64 }]);
  });

  it("has one limit however it is written", () => {
    expect(read(deep(32, "[", "]")).problems).toEqual([]);
    for (const text of [deep(34, "[", "]"), deep(34, "{a: ", "}"), "- ".repeat(40)])
      expect(codes(text)).toContain("too_deep");
  });
});

describe("a hostile file of a whole document's length", () => {
  const long = (part: string, chars = 2 ** 18) => part.repeat(Math.floor(chars / part.length));
  it.each<[string, string, string]>([
    ["closing brackets", long("]"), "yaml_invalid"],
    ["brackets beside brackets", long("[]"), "yaml_invalid"],
    ["anchors", long("- &a x\n"), "yaml_unsupported"],
    ["one key again and again", long("a: 1\n"), "key_duplicate"],
    ["numbers out of range", `a: [${long("99999999999999999999,")}1]`, "number_out_of_range"],
    ["empty documents", long("---\n"), "too_large"],
    ["questions", long("? "), "too_deep"],
    ["quotes that never end", long("a: 'b\n"), "yaml_invalid"],
  ])("of %s is refused with some problems, not with all", (_, text, code) => {
    const { documents, problems } = parseDocuments([{ file: "t.yaml", text }]);
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems.length).toBeLessThan(300);
    expect(Object.values(documents).flat()).toEqual([]);
  });

  it("of keys that are long together is refused before they stand in every place below them", () => {
    const text = `{"${"k".repeat(600)}": {"${"l".repeat(600)}": [${long("1,", 20_000)}1]}}`;
    expect(codes(text)).toContain("too_large");
  });

  it("in one line is shown by the part around the mistake", () => {
    const rules = Array.from({ length: 2_000 }, (_, at) => `{"id":"r${at}","match":{"tools":["a"]},"effect":"dney"}`);
    const text = `{"apiVersion":"remit/v1","kind":"Policy","metadata":{"name":"p"},"spec":{"rules":[${rules}]}}`;
    const { problems } = parseDocuments([{ file: "t.yaml", text }]);
    expect(problems).toHaveLength(2_000);
    for (const { excerpt = "" } of problems) expect(excerpt.length).toBeLessThan(300);
    expect(problems.at(-1)).toMatchObject({ code: "value_invalid", nearest: "deny" });
  });
});

it("an alias is refused where it stands and never followed", () => {
  const levels = Array.from({ length: 20 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}*a${at}]`);
  const { values, problems } = read(`a0: &a0 [x]\n${levels.join("\n")}\n`);
  expect(values).toEqual([]);
  expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(["yaml_unsupported"]));
});

it("more errors than anybody mends are not told one by one, and never none", () => {
  const keys = Array.from({ length: 5_000 }, (_, at) => `kez${at}: 1`).join("\n");
  const problems = problemsOf(
    `apiVersion: remit/v1\nkind: Group\nmetadata: { name: g }\nspec: { members: [a] }\n${keys}`,
  );
  expect(problems).toHaveLength(2_000);
});
