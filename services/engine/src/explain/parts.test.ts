import { describe, expect, it } from "vitest";
import { compileTexts, policyText, sampleFacts, toolText } from "../../test/sample.ts";
import { explain, type Facts, type JsonObject } from "../index.ts";
import { ruleDetailLines } from "./explanation-text.ts";

const any = { tools: ["*"] };

/** The lines of the first rule, which is a deny with one condition. */
function lines(when: string, input: JsonObject, variables: Record<string, string> = {}, redact: string[] = []) {
  const compiled = compileTexts(
    toolText("pay", redact.length > 0 ? { redact } : {}),
    policyText([{ id: "r", match: any, effect: "deny", when }], { variables }),
  );
  const [considered] = explain(compiled, sampleFacts({ input, session: { labels: { untrusted: "web" } } })).considered;
  return considered ? ruleDetailLines(considered).map((line) => line.replace(/^(when {3}| {7})/, "")) : [];
}

describe("the parts of a condition", () => {
  it.each<[string, JsonObject, string[]]>([
    ["input.amount > 500", { amount: 812 }, ["input.amount > 500 → 812 > 500 → true"]],
    ["input.amount > 500", {}, ["input.amount > 500 → missing > 500 → unknown: input.amount is missing"]],
    [
      "input.amount * 2 + 1 > input.limit",
      { amount: 4, limit: 9 },
      [
        "input.amount * 2 + 1 > input.limit → 9 > 9 → false",
        "  input.amount * 2 + 1 → 8 + 1 → 9",
        "    input.amount * 2 → 4 * 2 → 8",
      ],
    ],
    [
      'input.a && input.b == "x" && input.c',
      { a: true, b: "y", c: true },
      [
        'input.a && input.b == "x" && input.c → false',
        "  input.a → true",
        '  input.b == "x" → "y" == "x" → false',
        "  input.c → not needed",
      ],
    ],
    [
      "input.a || input.b",
      { a: true, b: true },
      ["input.a || input.b → true", "  input.a → true", "  input.b → not needed"],
    ],
    [
      "input.missing || input.b",
      { b: true },
      ["input.missing || input.b → true", "  input.missing → unknown: input.missing is missing", "  input.b → true"],
    ],
    [
      "input.a ? input.b == 1 : input.c == 2",
      { a: false, b: 1, c: 3 },
      [
        "input.a ? input.b == 1 : input.c == 2 → false",
        "  input.a → false",
        "  input.b == 1 → not needed",
        "  input.c == 2 → 3 == 2 → false",
      ],
    ],
    ["!has(input.a)", { b: 1 }, ["!has(input.a) → true", "  has(input.a) → false"]],
    ["present(input.a.b)", { a: {} }, ["present(input.a.b) → present(missing) → false"]],
    [
      '"untrusted" in session.labels',
      {},
      ['"untrusted" in session.labels → "untrusted" in {"untrusted":"web"} → true'],
    ],
    [
      'path.within(input.path, "/workspace")',
      { path: "/workspace/../etc" },
      ['path.within(input.path, "/workspace") → path.within("/workspace/../etc", "/workspace") → false'],
    ],
    [
      'input.to.lowerAscii().endsWith("@acme.com")',
      { to: "A@ACME.com" },
      [
        'input.to.lowerAscii().endsWith("@acme.com") → "a@acme.com".endsWith("@acme.com") → true',
        '  input.to.lowerAscii() → "A@ACME.com".lowerAscii() → "a@acme.com"',
      ],
    ],
  ])("%s of %j", (when, input, expected) => {
    expect(lines(when, input)).toEqual(expected);
  });

  it("are computed as the schemas of the rule's tools have them", () => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer" }, m: { type: "integer" } },
      required: ["n", "m"],
    };
    for (const match of [{ tools: ["pay"] }, any]) {
      const compiled = compileTexts(
        toolText("pay", { inputSchema: schema }),
        policyText([{ id: "r", match, effect: "deny", when: "type(input.n) == int && vars.whole" }], {
          variables: { whole: "type(input.m) == int" },
        }),
      );
      const [rule] = explain(compiled, sampleFacts({ input: { n: 5, m: 2 } })).considered;
      expect(rule && ruleDetailLines(rule)).toEqual([
        "when   type(input.n) == int && vars.whole → true",
        "         type(input.n) == int → int == int → true",
        "           type(input.n) → type(5) → int",
        "         vars.whole → true",
        "           type(input.m) == int → int == int → true",
        "             type(input.m) → type(2) → int",
      ]);
    }
  });

  it("of a list show the element that decided, or that none did", () => {
    expect(lines("input.to.exists(x, x > 5 && x < 9)", { to: [1, 7, 8] })).toEqual([
      "input.to.exists(x, x > 5 && x < 9) → true",
      "  input.to → [1,7,8]",
      "  x > 5 && x < 9 → true",
      "    x > 5 → 7 > 5 → true",
      "    x < 9 → 7 < 9 → true",
    ]);
    expect(lines("input.to.exists(x, x > 9)", { to: [1, 7] })[0]).toBe(
      "input.to.exists(x, x > 9) → false (no element makes it true)",
    );
    expect(lines("input.to.all(x, x > 9)", { to: [] })[0]).toBe(
      "input.to.all(x, x > 9) → true (there are no elements)",
    );
  });

  it("of a variable stand below it, once", () => {
    expect(lines("vars.large && !vars.large", { amount: 3 }, { large: "input.amount > vars.most", most: "2" })).toEqual(
      [
        "vars.large && !vars.large → false",
        "  vars.large → true",
        "    input.amount > vars.most → 3 > 2 → true",
        "      vars.most → 2",
        "  !vars.large → false",
        "    vars.large → true",
      ],
    );
  });

  it("are at most sixty, and each is cut where it is long", () => {
    const long = lines(Array.from({ length: 100 }, (_, at) => `input.a != ${at}`).join(" && "), { a: 1000 });
    expect(long).toHaveLength(60);
    expect(Math.max(...long.map((line) => line.length))).toBeLessThan(300);
  });
});

describe("what a tool redacts", () => {
  const secret = "DE89370400440532013000";
  const iban = { iban: secret, user: { pin: "4711", name: "mia" }, list: [{ note: secret }, { note: "x" }] };
  const redact = ["input.iban", "input.user.pin", "input.list.*.note"];
  const told = (when: string, variables = {}) => lines(when, iban, variables, redact).join("\n");

  it.each([
    ["input.iban != input.user.name", '[redacted] != "mia"'],
    ['input.iban.lowerAscii() == "x"', "input.iban.lowerAscii() → [redacted].lowerAscii() → [redacted]"],
    ["size(input.iban) > 3", "size(input.iban) → size([redacted]) → [redacted]"],
    ["input[\"iban\"] != 'x'", '[redacted] != "x" → true'],
    ["size(input) > 2", "size([redacted])"],
    ["input.user.name == 'mia'", '"mia" == "mia"'],
    ["size(input.user) > 0", "size([redacted])"],
    ["input.list.exists(x, x.note == 'x')", '[redacted] == "x"'],
    ["input.list[1].note == 'x'", '[redacted] == "x"'],
    ["input.user[input.iban] == 'x'", "→ unknown"],
    ["size(input.list.map(x, x.note)) == 2", "[redacted]"],
  ])("is not told by %s, nor is what is made of it", (when, shown) => {
    expect(told(when)).toContain(shown);
    expect(told(when).toLowerCase()).not.toContain(secret.toLowerCase());
    expect(told(when)).not.toContain("4711");
  });

  it("is not told by variables, nor by what a transform sets", () => {
    expect(told("vars.b != 'x'", { a: "input.iban", b: "vars.a + vars.a" })).toContain('[redacted] != "x"');
    const compiled = compileTexts(
      toolText("pay", { redact }),
      policyText([
        {
          ...{ id: "t", match: any, effect: "transform" },
          set: { iban: "x", copy: { expr: "input.iban" }, "user.name": "bo" },
        },
      ]),
    );
    const facts: Facts = sampleFacts({ input: iban });
    const { settings } = explain(compiled, facts).considered[0] ?? { settings: [] };
    expect(settings.map(({ path, before, after }) => [path, before, after])).toEqual([
      ["input.iban", "[redacted]", "[redacted]"],
      ["input.copy", undefined, "[redacted]"],
      ["input.user.name", '"mia"', '"bo"'],
    ]);
  });

  it("is not told of where a transform has put it", () => {
    const compiled = compileTexts(
      toolText("pay", { redact }),
      policyText([
        { id: "t", match: any, effect: "transform", set: { copy: { expr: "input.iban" }, other: "x" } },
        { id: "d", match: any, effect: "deny", when: "input.copy.lowerAscii() == 'y' || input.other == 'x'" },
      ]),
    );
    const [, rule] = explain(compiled, sampleFacts({ input: iban })).considered;
    const lines = rule ? ruleDetailLines(rule).join("\n") : "";
    expect(lines).toContain("input.copy.lowerAscii() → [redacted].lowerAscii() → [redacted]");
    expect(lines).toContain('"x" == "x"');
    expect(lines.toLowerCase()).not.toContain(secret.toLowerCase());
  });
});
