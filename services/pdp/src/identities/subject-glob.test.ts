import fc from "fast-check";
import { expect, test } from "vitest";
import { subjectMatches } from "./subject-glob.ts";

test.each([
  ["ada", "ada", true],
  ["ada", "Ada", false],
  ["ada", "ada ", false],
  ["*", "ada@example.com", true],
  ["*", "", true],
  ["system:serviceaccount:prod:*", "system:serviceaccount:prod:clerk", true],
  ["system:serviceaccount:prod:*", "system:serviceaccount:prod:clerk:root", false],
  ["system:serviceaccount:*:clerk", "system:serviceaccount:prod:clerk", true],
  ["system:serviceaccount:*:clerk", "system:serviceaccount:prod:evil:clerk", false],
  ["system:serviceaccount:prod-*:clerk", "system:serviceaccount:prod-eu:clerk", true],
  ["spiffe://example.org/ns/prod/*", "spiffe://example.org/ns/prod/sa/clerk", false],
  ["spiffe://example.org/ns/prod/**", "spiffe://example.org/ns/prod/sa/clerk", true],
  ["spiffe://example.org/**", "spiffe://example.org.evil/ns/prod", false],
  ["spiffe://*/ns/prod", "spiffe://a/b/ns/prod", false],
  ["*@example.com", "ada@example.com.evil", false],
  ["a.c", "abc", false],
  ["**", "anything: at / all", true],
  ["a**b", "ab", true],
])("%s and %s: %s", (glob, subject, expected) => {
  expect(subjectMatches(glob, subject)).toBe(expected);
});

test("a glob means what the same regular expression does, whatever stands in either", () => {
  const piece = fc.constantFrom("*", "**", "a", "b", ":", "/", ".", "+");
  const subject = fc.string({ unit: fc.constantFrom("a", "b", ":", "/", ".", "+"), maxLength: 10 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), subject, (pieces, text) => {
      const glob = pieces.join("");
      const source = glob.replace(
        /\*\*|\*|[.+/]/g,
        (found) => ({ "**": "[^]*", "*": "[^:/]*" })[found] ?? `\\${found}`,
      );
      expect(subjectMatches(glob, text)).toBe(new RegExp(`^${source}$`).test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("a glob of many stars takes no longer for a long subject than its length allows", () => {
  expect(subjectMatches("**a".repeat(60), "b".repeat(250))).toBe(false);
});
