import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globFits } from "../../test/naive.ts";
import { compileGlob, compileGlobs, isExactName, matchesGlob } from "./pattern.ts";

describe("a glob", () => {
  it.each([
    ["pay", "pay", true],
    ["pay", "payx", false],
    ["pay", "Pay", false],
    ["payments.*", "payments.transfer", true],
    ["payments.*", "payments.transfer.now", true],
    ["payments.*", "payments", false],
    ["payments.*", "xpayments.a", false],
    ["mcp://bank/*", "mcp://bank/a/b", true],
    ["mcp://bank/*", "mcp://banker/a", false],
    ["*.delete", "files.delete", true],
    ["*.delete", "files.deleted", false],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "abc", true],
    ["a*b*c", "ac", false],
    ["ab*ba", "aba", false],
    ["*", "", true],
    ["a.c", "abc", false],
  ])("%s on %s: %s", (glob, name, fits) => expect(compileGlob(glob)(name)).toBe(fits));

  it("means what its definition says, on any names", () => {
    const letters = (max: number) =>
      fc.array(fc.constantFrom("a", "b", "*"), { maxLength: max }).map((list) => list.join(""));
    const names = letters(8).map((name) => name.replaceAll("*", "c"));
    fc.assert(
      fc.property(letters(6), names, (glob, name) => {
        expect(compileGlob(glob)(name)).toBe(globFits(glob, name));
        expect(matchesGlob(glob, name)).toBe(globFits(glob, name));
      }),
      { numRuns: 2000 },
    );
  });

  it("list accepts what one of them accepts; an empty list nothing", () => {
    expect(compileGlobs(["a", "b*"])("bc")).toBe(true);
    expect(compileGlobs(["a", "b*"])("c")).toBe(false);
    expect(compileGlobs([])("")).toBe(false);
  });

  it("without a star is an exact name", () => {
    expect([isExactName("a.b"), isExactName("a.*")]).toEqual([true, false]);
  });
});
