import { describe, expect, it } from "vitest";
import { outcomeOf, resultOf, stepsOf } from "../../test/conditions.ts";
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

  it.each([
    ["maps measured", "size(input.map) < 0", " || "],
    ["maps compared", "input.map == input.map", " && "],
    ["a map compared with one that is written", '{"a": 1} == input.map', " || "],
    ["keys", "input.map.all(key, true)", " && "],
  ])("is not passed again and again by %s: what is too much is not begun", (_, text, sign) => {
    let listed = 0;
    const wide = new Proxy(Object.fromEntries(Array.from({ length: 18_000 }, (_, at) => [`key${at}`, at])), {
      ownKeys: (target) => {
        listed++;
        return Reflect.ownKeys(target);
      },
    });
    resultOf(Array.from({ length: 100 }, () => text).join(sign), { input: { map: wide } });
    expect(listed).toBeLessThan(6);
  });

  it("counts the characters that telling an order looks at", () => {
    const input = { list: many, one: `${"a".repeat(60_000)}b`, other: `${"a".repeat(60_000)}c` };
    expect(resultOf("input.list.all(x, input.one <= input.other)", { input })).toBe(limit);
    expect(resultOf("input.list.size() == 2000 && input.one < input.other", { input })).toBe(true);
  });

  it("counts each character of a long part at each place of a text, and not of a short one", () => {
    const text = "input.text.contains(input.part)";
    const long = "a".repeat(10_000);
    const stepsFor = (chars: number) => stepsOf(text, { text: long, part: `b${"a".repeat(chars)}` });
    expect(stepsFor(1000)).toBeGreaterThan(2 * stepsFor(400));
    expect(stepsFor(1000)).toBeGreaterThan((10_000 * 1000) / 200);
    expect(stepsFor(60)).toBeLessThan(1000);
    expect(stepsOf(text, { text: "ab", part: long })).toBeLessThan(20);
  });

  it.each([
    ["one letter", "a".repeat(20_000), "aab"],
    ["a letter of two bytes", "\u0430".repeat(20_000), "\u0430\u0431"],
    ["a letter whose bytes are alike", "\u6161".repeat(20_000), "\u6161\u6261"],
    ["letters that share a byte with what is looked for", "\u0405".repeat(20_000), "\u0404"],
  ])("counts the places of a text of %s that begin like the part, and few in what people write", (_, slow, part) => {
    const condition = "input.text.contains(input.part)";
    const written = "The quick brown fox jumps over the lazy dog. ".repeat(445).slice(0, 20_000);
    const usual = stepsOf(condition, { text: written, part: "evil" });
    expect(usual).toBeLessThan(2500);
    expect(stepsOf(condition, { text: slow, part })).toBeGreaterThan(5000);
    expect(
      stepsOf("input.text.contains(input.part) || input.text.contains(input.other)", { text: slow, part, other: "zz" }),
    ).toBeLessThan(stepsOf(condition, { text: slow, part }) + 700);
  });

  it("leaves ordinary conditions alone", () => {
    expect(resultOf('input.list.all(x, x >= 0.0) && "a".matches("a")', { input: { list: many } })).toBe(true);
  });
});

describe("the steps of an evaluation", () => {
  const sized = (size: number) => {
    const keys = Array.from({ length: size }, (_, index) => `key${index}`);
    const text = "ab".repeat(size);
    return {
      ...{ text, same: `${text}`, path: "/a".repeat(size), url: `https://a.com${"/a".repeat(size)}` },
      ...{ list: keys.map((_, index) => index), more: keys.map((_, index) => index), keys },
      ...{
        map: Object.fromEntries(keys.map((key) => [key, 1])),
        copy: Object.fromEntries(keys.map((key) => [key, 1])),
      },
      ...{ mails: keys.map((key) => `${key}@acme.com`).join(", "), words: keys.join(" ") },
    };
  };

  it.each([
    ["input.text == input.same"],
    ["input.text < input.same"],
    ["input.text + input.same"],
    ["input.list == input.more"],
    ["input.list + input.more"],
    ["-1 in input.list"],
    ["input.map == input.copy"],
    ["input.list.all(x, true)"],
    ["input.list.map(x, x)"],
    ["input.list.filter(x, true)"],
    ["input.list.exists_one(x, true)"],
    ["input.map.all(key, true)"],
    ["size(input.text)"],
    ["size(input.map)"],
    ["input.text.startsWith(input.same)"],
    ["input.text.contains(input.same)"],
    ['input.text.matches("c$")'],
    ['input.text.matches("(a|b)*a(a|b){40}c")'],
    ["input.text.lowerAscii()"],
    ["input.text.trim()"],
    ['input.text.split("a")'],
    ['input.keys.join(",")'],
    ['path.within(input.path, "/a")'],
    ["url.path(input.url)"],
    ["email.addresses(input.mails)"],
    ["argv(input.words)"],
  ])("of %s grow with the data", (text) => {
    const [some, more] = [stepsOf(text, sized(100)), stepsOf(text, sized(1600))];
    expect(more - 60).toBeGreaterThan(2 * (some - 60));
    expect(more).toBeGreaterThan(90);
  });

  it("end soon after the limit, whatever the condition and the input", () => {
    // 256 KiB of JSON in one text, list or map.
    const input = { ...sized(2000), text: "ab".repeat(120_000), same: "ab".repeat(120_000) };
    for (const part of [
      "input.text == input.same",
      'input.text.matches("(a|b)*a(a|b){40}c")',
      "input.map == input.copy",
    ]) {
      const taken = stepsOf(`input.list.all(x, input.list.all(y, ${part} || true))`, input);
      expect(taken, part).toBeGreaterThan(100_000);
      // The step that passed the limit was not done.
      expect(resultOf(`input.list.all(x, ${part})`, { input }), part).toBe(limit);
    }
  });
});
