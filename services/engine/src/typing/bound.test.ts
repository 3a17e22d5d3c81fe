import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepsIn } from "../../test/conditions.ts";
import { policyText, problemsOf, toolText } from "../../test/sample.ts";
import type { JsonObject } from "../index.ts";

const listOf = (maxItems: number, maxLength: number): JsonObject => ({
  type: "array",
  maxItems,
  items: {
    type: "object",
    properties: { name: { type: "string", maxLength }, qty: { type: "integer" } },
    required: ["name", "qty"],
    additionalProperties: false,
  },
});
const schema = (maxItems: number, maxLength: number): JsonObject => ({
  type: "object",
  properties: {
    text: { type: "string", maxLength },
    other: { type: "string", maxLength },
    qty: { type: "integer" },
    list: listOf(maxItems, maxLength),
    tags: { type: "array", maxItems, items: { type: "string", maxLength } },
    free: { type: "string" },
    map: { type: "object", maxProperties: maxItems, additionalProperties: { type: "integer" } },
  },
});
const most = (text: string, maxItems: number, maxLength: number) => stepsIn(schema(maxItems, maxLength), text, {}).most;

describe("the most steps of a condition", () => {
  it.each([
    "input.text.contains(input.free)",
    "input.free == input.free",
    "input.anything.all(x, x > 1)",
    'input.free.matches("a")',
  ])("of %s are unknown: no schema bounds them", (text) => expect(most(text, 10, 10)).toBeUndefined());

  it.each([
    "input.qty > 3 && input.qty < 9",
    'input.text == "DE" && principal.verified',
    'input.text in ["DE", "FR"] || session.depth > 0',
    'input.free == "x"',
    "input.list.all(i, i.qty < 5)",
    'input.list.all(i, i.name.matches("^[a-z]+$"))',
    'input.free.startsWith("x")',
    'input.list.all(i, i.name.endsWith("@acme.com"))',
    "size(input.text) > 3 && size(input.list) < 5",
  ])("of %s are few", (text) => expect(most(text, 100, 200)).toBeLessThan(15_000));

  it("grow with the lists and texts that the schema lets in", () => {
    const nested = "input.list.all(i, input.tags.exists(t, t == i.name))";
    const [some = 0, more = 0] = [most(nested, 10, 10), most(nested, 20, 10)];
    expect(more).toBeGreaterThan(3 * some);
    const text = 'input.text.matches("^(a|b)*c$")';
    expect(most(text, 1, 20_000)).toBeGreaterThan(5 * (most(text, 1, 2_000) ?? 0));
  });

  it("of the elements of a list together are those of one input", () => {
    const text = 'input.list.all(i, i.name.contains("ab"))';
    expect(most(text, 1000, 1_000_000)).toBeLessThan(20 * (most(text, 1, 1_000_000) ?? 0));
  });

  it("are those of each variable once, however many others use it, because it is computed once", () => {
    const chain = Array.from({ length: 60 }, (_, at) => [`v${at}`, `vars.v${at + 1} || vars.v${at + 2}`]);
    const variables = { ...Object.fromEntries(chain), v60: "input.list.all(i, i.qty < 5)", v61: "input.qty > 5" };
    const { most: used = 0, taken, problems } = stepsIn(schema(100, 10), "vars.v0", { list: [], qty: 1 }, variables);
    expect(problems).toEqual([]);
    expect(used).toBeGreaterThanOrEqual(taken);
    expect(used).toBeLessThan((most(variables.v60, 100, 10) ?? 0) + 500);
  });

  it("are told once where they are too many, and not again wherever the variable is used", () => {
    const heavy = "input.list.all(i, input.tags.exists(t, t == i.name))";
    const variables = { heavy, more: "vars.heavy && input.qty > 1", most: "vars.more || vars.heavy" };
    const { problems } = stepsIn(schema(2000, 10), "vars.most", {}, variables);
    expect(problems.map((problem) => problem.replace(/[0-9]+/, "N"))).toEqual([
      "up to N steps on an input that the schema permits, more than the 100000 of an evaluation",
    ]);
  });

  it("are those of its variables too", () => {
    const variables = { all: "input.list.all(i, i.qty < 5)" };
    const used = stepsIn(schema(100, 10), "vars.all && vars.all", {}, variables).most;
    const alone = most("input.list.all(i, i.qty < 5)", 100, 10) ?? 0;
    expect(used).toBeGreaterThan(alone);
    expect(used).toBeLessThan(alone + 20);
  });
});

describe("a condition that may take more steps than an evaluation has", () => {
  const nested = "input.list.all(i, input.tags.exists(t, t == i.name))";
  const problems = (maxItems: number, more: JsonObject = {}) =>
    problemsOf(
      [
        toolText("pay", { inputSchema: schema(maxItems, 100) }),
        policyText([{ id: "r", match: { tools: ["pay"] }, effect: "allow", when: nested, ...more }]),
      ].join("\n---\n"),
    );

  it("does not compile, and says what would help", () => {
    const [problem, ...others] = problems(1000);
    expect(others).toEqual([]);
    expect(problem).toMatch(/error: up to \d{6,8} steps on an input that the schema permits, more than the 100000/);
    expect(problem).toContain("expected: a smaller maxItems or maxLength in the schema, or a condition");
    expect(problems(50)).toEqual([]);
  });

  it("is only warned of where other tools may come", () => {
    expect(problems(1000, { match: { tools: ["p*"] } })[0]).toContain("warning: up to");
  });
});

const name = fc.string({ maxLength: 30, unit: fc.constantFrom("a", "b", "/", ".", " ") });
const input: fc.Arbitrary<JsonObject> = fc.record({
  text: name,
  other: name,
  qty: fc.integer(),
  list: fc.array(fc.record({ name, qty: fc.integer() }), { maxLength: 8 }),
  tags: fc.array(name, { maxLength: 8 }),
  map: fc.dictionary(name, fc.integer(), { maxKeys: 8 }),
});
const text = (local: string) =>
  fc.constantFrom(
    "input.text",
    "input.other",
    '"ab"',
    "input.text + input.other",
    "input.tags[0]",
    local,
    "input.text.lowerAscii()",
  );
const truth = (local: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(text(local), fc.constantFrom("==", "<", ">="), text(local)).map((parts) => parts.join(" ")),
    fc
      .tuple(text(local), fc.constantFrom("startsWith", "contains", "endsWith"), text(local))
      .map(([a, call, b]) => `(${a}).${call}(${b})`),
    fc
      .tuple(text(local), fc.constantFrom("^a+", "(a|b)*a(a|b){12}$"))
      .map(([a, pattern]) => `(${a}).matches("${pattern}")`),
    text(local).map((a) => `${a} in input.tags`),
    text(local).map((a) => `${a} in input.map`),
    text(local).map((a) => `size(${a}) + size(input.map) > 3`),
    text(local).map((a) => `(${a}).split("/").size() < 3`),
    fc.constantFrom("input.qty * 2 > 7", 'input.tags == ["a", "b"]', "vars.big", 'path.within(input.text, "/a")'),
  );
const macro = (range: fc.Arbitrary<string>, local: string, body: fc.Arbitrary<string>) =>
  fc
    .tuple(range, fc.constantFrom("all", "exists", "exists_one"), body)
    .map(([list, call, part]) => `${list}.${call}(${local}, ${part})`);
const ranges = fc.constantFrom(
  "input.tags",
  "input.map",
  "input.tags.filter(t, t != '')",
  "input.list.map(i, i.name)",
  '["a", "b"]',
);
const condition = fc.oneof(
  truth('"x"'),
  macro(ranges, "a", truth("a")),
  macro(
    ranges,
    "a",
    macro(
      ranges,
      "b",
      fc.tuple(truth("a"), truth("b")).map((parts) => parts.join(" || ")),
    ),
  ),
  fc.tuple(truth('"x"'), truth('"y"'), truth('"z"')).map(([a, b, c]) => `${a} ? ${b} : !(${c})`),
);

describe("whatever the condition and the input", () => {
  it("no more steps are taken than were said when it was compiled", () => {
    let bounded = 0;
    fc.assert(
      fc.property(condition, fc.array(input, { minLength: 4, maxLength: 4 }), (written, inputs) => {
        for (const one of inputs) {
          const { most: bound, taken } = stepsIn(schema(8, 30), written, one, {
            big: "input.tags.all(t, size(t) < 9)",
          });
          if (bound === undefined) continue;
          bounded++;
          expect(taken, written).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 250 },
    );
    expect(bounded).toBeGreaterThan(500);
  });
});
