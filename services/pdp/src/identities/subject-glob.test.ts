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

const expression = (glob: string) => {
  const source = glob.replace(/\*\*|\*|[.+/]/g, (found) => ({ "**": "[^]*", "*": "[^:/]*" })[found] ?? `\\${found}`);
  return new RegExp(`^${source}$`);
};

test("a glob means what the same regular expression does, whatever stands in either", () => {
  const piece = fc.constantFrom("*", "**", "a", "b", ":", "/", ".", "+");
  const subject = fc.string({ unit: fc.constantFrom("a", "b", ":", "/", ".", "+"), maxLength: 10 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), subject, (pieces, text) => {
      const glob = pieces.join("");
      expect(subjectMatches(glob, text)).toBe(expression(glob).test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("the same holds of long subjects, wherever their parts begin and end", () => {
  const run = fc.integer({ min: 0, max: 70 });
  const part = fc.tuple(fc.constantFrom("a", "b"), run, fc.constantFrom(":", "/", ""));
  const piece = fc.oneof(fc.constantFrom("*", "**", ":", "/"), fc.tuple(fc.constantFrom("a", "b"), run));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), fc.array(part, { maxLength: 4 }), (pieces, parts) => {
      const glob = pieces.map((one) => (typeof one === "string" ? one : one[0].repeat(one[1]))).join("");
      const text = parts.map(([char, times, end]) => char.repeat(times) + end).join("");
      expect(subjectMatches(glob, text)).toBe(expression(glob).test(text));
      // One that fits: its stars stand for what is there.
      const widened = parts.map(([char, times]) => (times > 3 ? `${char}*` : char.repeat(times)));
      const own = widened.map((one, at) => one + (parts[at]?.[2] ?? "")).join("");
      expect(subjectMatches(own, text)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("a glob of many stars takes no longer for a long subject than its length allows", () => {
  expect(subjectMatches("**a".repeat(60), "b".repeat(250))).toBe(false);
});
