import { describe, expect, it } from "vitest";
import { outcomeOf, resultOf } from "../../test/conditions.ts";
import { Failure } from "./value.ts";

const many = Array.from({ length: 2000 }, (_, index) => index);
const map = Object.fromEntries(many.map((index) => [`key${index}`, index]));
const limit = "unknown: the evaluation passed its cost limit";

describe("the cost limit", () => {
  it.each([
    ["nested macros", "input.list.all(x, input.list.all(y, x + y >= 0.0))", { list: many }],
    ["lists compared", "input.list.all(x, input.list == input.list)", { list: many }],
    ["membership", "input.list.all(x, x in input.list)", { list: many }],
    [
      "texts that grow",
      "input.list.map(x, input.text + input.text).size() > 0",
      { list: many, text: "x".repeat(10_000) },
    ],
    [
      "searches",
      "input.list.all(x, !input.text.contains(input.part))",
      { list: many, text: "a".repeat(10_000), part: "ab" },
    ],
    ["patterns", 'input.list.all(x, !input.text.matches("(a+)+b"))', { list: many, text: "a".repeat(10_000) }],
    ["maps measured", "input.list.all(x, size(input.map) > 0)", { list: many, map }],
    ["maps compared", "input.list.all(x, input.map == input.map)", { list: many, map }],
    ["keys", "input.list.all(x, input.map.all(key, true))", { list: many, map }],
    ["letters", 'input.list.all(x, input.text.lowerAscii() != "")', { list: many, text: "Ab".repeat(5_000) }],
    ["paths", 'input.list.all(x, !path.within(input.text, "/b"))', { list: many, text: "/a".repeat(2_000) }],
    [
      "URLs",
      'input.list.all(x, url.path(input.text) != "")',
      { list: many, text: `https://a.com${"/a".repeat(4_000)}` },
    ],
    [
      "addresses",
      "input.list.all(x, email.addresses(input.text).size() > 0)",
      { list: many, text: `${"a@b.cc, ".repeat(900)}a@b.cc` },
    ],
    ["commands", "input.list.all(x, argv(input.text).size() > 0)", { list: many, text: "git a ".repeat(1_300) }],
    [
      "ranges",
      "input.list.all(x, !ip.within(input.text, input.ranges))",
      { list: many, text: "1.1.1.1", ranges: many.map(() => "10.0.0.0/8") },
    ],
    ["zones", "input.list.all(x, time.hours(now, input.text) >= 0.0)", { list: many, text: "Europe/Berlin" }],
    ["texts split", 'input.list.all(x, input.text.split("").size() > 0)', { list: many, text: "a".repeat(10_000) }],
  ])("stops %s", (_, text, input) => expect(resultOf(text, { input })).toBe(limit));

  it("holds for variables that cost too much, wherever they are used", () => {
    const variables = { slow: "input.list.all(x, input.list.all(y, x + y >= 0.0))" };
    const outcome = outcomeOf("vars.slow || input.list.size() == 2000", { input: { list: many } }, variables);
    expect(outcome instanceof Failure && outcome.reason).toBe(false);
    expect(resultOf("vars.slow", { input: { list: many } }, variables)).toBe(limit);
  });

  it("leaves ordinary conditions alone", () => {
    expect(resultOf('input.list.all(x, x >= 0.0) && "a".matches("a")', { input: { list: many } })).toBe(true);
  });
});
