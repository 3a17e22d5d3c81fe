import { expect, it } from "vitest";
import { parseCondition } from "./parse-condition.ts";

/** How often regular expressions and comparisons look at a text while it is parsed. */
function looksOf(text: string): number {
  let looks = 0;
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = function counted(this: RegExp, given: string) {
    const found = exec.call(this, given);
    looks += 1 + (found?.[0].length ?? 0);
    return found;
  };
  try {
    parseCondition(text);
  } finally {
    RegExp.prototype.exec = exec;
  }
  return looks;
}

it.each([
  ["a wrong token behind blanks", (size: number) => `a${" ".repeat(size)}$`],
  ["terms", (size: number) => `${"a||".repeat(size / 3)}a`],
  ["an open call after another", (size: number) => "f(".repeat(Math.min(200, size / 2))],
  ["branches", (size: number) => `${"a?b:".repeat(Math.min(200, size / 4))}c`],
  ["listed values", (size: number) => `[${"1,".repeat(size / 2)}1]`],
  ["names with dots", (size: number) => `a${" . b".repeat(size / 4)}`],
  ["messages that are none", (size: number) => "a.b.c.d.e.f.g.h ".repeat(size / 16)],
  ["an open text", (size: number) => `"${"a".repeat(size)}`],
])("parsing %s looks at each character a bounded number of times", (_, make) => {
  const [few, many] = [make(400), make(4000)];
  expect(looksOf(many)).toBeLessThan(8 * many.length + 100);
  expect(looksOf(few)).toBeLessThan(8 * few.length + 100);
});
