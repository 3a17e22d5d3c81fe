import { describe, expect, it } from "vitest";
import { tooLargePattern } from "./pattern-size.ts";
import { compileRegex } from "./regex.ts";

describe("a pattern", () => {
  it.each([
    "^[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}$",
    "^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$",
    "(a|b|c){1,200}x",
    "\\Q(((\\E{100}",
    "[(){1000}]{900}",
    "\\p{L}{50}",
    "x{1000}",
  ])("%s is small enough", (pattern) => {
    expect(tooLargePattern(pattern)).toBeUndefined();
    expect(compileRegex(pattern)).toHaveProperty("search");
  });

  it.each([
    `(${"abc".repeat(300)}){1000}`,
    "x{1000}".repeat(140),
    "(x{1,1000})".repeat(90),
    "((a|b|c|d|e|f){0,30}){0,30}",
    "(a{1,500}){3}b{1000,}",
    "\\pL".repeat(11),
    "[\\p{Greek}]".repeat(11),
  ])("%s is too large, which is found without compiling it", (pattern) => {
    expect(tooLargePattern(pattern)).toMatch(/there may be/);
    expect(compileRegex(pattern)).toHaveProperty("problem");
  });
});
