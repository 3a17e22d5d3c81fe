import { assert, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { spiffeIdProblem, spiffePrefixes } from "./spiffe-id.ts";

test.each(["spiffe://example.org/ns/shop/sa/clerk", "spiffe://a/b", `spiffe://${"a".repeat(255)}/x_Y.Z-1`])(
  "%s is the id of a workload",
  (id) => {
    expect(spiffeIdProblem(id)).toBeUndefined();
  },
);

test.each([
  ["", "does not begin"],
  ["https://example.org/a", "does not begin"],
  ["SPIFFE://example.org/a", "does not begin"],
  ["spiffe://example.org", "whole trust domain"],
  ["spiffe://example.org/", '""'],
  ["spiffe://example.org/a/", '""'],
  ["spiffe://example.org//a", '""'],
  ["spiffe://example.org/a/../b", '".."'],
  ["spiffe://example.org/./a", '"."'],
  ["spiffe:///a", "no trust domain"],
  ["spiffe://Example.org/a", "no trust domain"],
  ["spiffe://example.org:8443/a", "no trust domain"],
  ["spiffe://user@example.org/a", "no trust domain"],
  ["spiffe://example.org/a%2Fb", "a%2Fb"],
  ["spiffe://example.org/a?b", "a?b"],
  ["spiffe://example.org/a#b", "a#b"],
  ["spiffe://example.org/a b", "a b"],
  ["spiffe://example.org/ä", "ä"],
  ["spiffe://example.org/a\n", "\\n"],
  [`spiffe://${"a".repeat(256)}/x`, "255"],
  [`spiffe://a/${"x".repeat(2048)}`, "2048"],
])("%s is none", (id, problem) => {
  expect(spiffeIdProblem(id)).toContain(problem);
});

test("the prefixes of an id end where its segments end, longest first", () => {
  expect(spiffePrefixes("spiffe://example.org/ns/shop/sa/clerk")).toEqual([
    "spiffe://example.org/ns/shop/sa/clerk",
    "spiffe://example.org/ns/shop/sa",
    "spiffe://example.org/ns/shop",
    "spiffe://example.org/ns",
    "spiffe://example.org",
  ]);
});

test("every prefix begins the id, and what follows it begins with a slash", () => {
  assert(
    property(stringMatching(/^spiffe:\/\/[a-z0-9.-]{1,20}(\/[a-zA-Z0-9_-]{1,9}){1,6}$/), (id) => {
      expect(spiffeIdProblem(id)).toBeUndefined();
      const prefixes = spiffePrefixes(id);
      expect(prefixes).toHaveLength(id.split("/").length - 2);
      for (const prefix of prefixes) expect(id === prefix || id.startsWith(`${prefix}/`)).toBe(true);
    }),
  );
});
