import { describe, expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import type { JsonObject } from "../index.ts";
import { parseDocuments } from "../index.ts";
import { compileInSlices, compileSteps } from "./compile.ts";

const long = (at: number) => Array.from({ length: 150 }, (_, n) => `input.a > ${100 * at + n}`).join(" || ");
const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

/** How often compiling one rule lets others go on. */
async function pausesOf(rule: JsonObject, variables: JsonObject = {}): Promise<number> {
  const whole = { id: "r", match: { tools: ["pay"] }, effect: "allow", ...rule };
  const text = [toolText("pay"), policyText([whole], { variables })].join("\n---\n");
  const { documents, problems } = parseDocuments([{ file: "a.json", text }]);
  expect(problems).toEqual([]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  let pauses = 0;
  const { compiled } = await compileInSlices({ policies, tools: documents.tools }, {}, async () => {
    pauses++;
  });
  expect(compiled).toBeDefined();
  return pauses;
}

describe("compiling in slices", () => {
  it.each<[string, JsonObject, JsonObject?]>([
    ["the conditions of one rule", { when: many(15, long), unless: many(15, long) }],
    [
      "the values that one rule sets",
      { effect: "transform", set: Object.fromEntries(many(30, (at) => [`s${at}`, { expr: long(at) }])) },
    ],
    ["the variables of one policy", {}, Object.fromEntries(many(30, (at) => [`v${at}`, long(at)]))],
    ["patterns that repeat", { when: many(30, (at) => `input.b.matches("[ab]{${10 + at}}")`) }],
  ])("pauses between %s", async (_, rule, variables) => {
    expect(await pausesOf(rule, variables)).toBeGreaterThanOrEqual(29);
    expect(await pausesOf({ when: "input.a > 1" }, { v: "input.a > 1" })).toBeLessThan(3);
  });
});

/** What each piece of work costs that nobody can come between, in units of about ten microseconds. */
function costsOf(tools: readonly string[], rules: readonly JsonObject[], variables: JsonObject = {}): number[] {
  const text = [...tools, policyText([...rules], { variables })].join("\n---\n");
  const { documents, problems } = parseDocuments([{ file: "a.json", text }]);
  expect(problems).toEqual([]);
  const policies = documents.policies.map((document) => ({ document, version: 1 }));
  const costs: number[] = [];
  const steps = compileSteps({ policies, tools: documents.tools }, {});
  for (let step = steps.next(); !step.done; step = steps.next()) costs.push(step.value);
  return costs;
}

const pay = (schema: JsonObject, name = "pay") => toolText(name, { inputSchema: schema });
const properties = (count: number) => ({
  type: "object",
  properties: Object.fromEntries(many(count, (at) => [`p${at}`, { type: "string", maxLength: at }])),
});
const when = (text: string) => [{ id: "r", match: { tools: ["*"] }, effect: "allow", when: text }];

describe("no piece of compiling is large", () => {
  const pieceMax = 250;
  it.each<[string, readonly string[], readonly JsonObject[], JsonObject?, number?]>([
    ["of a schema of 2,000 properties", [pay(properties(2000))], when('input.p1 == "x"'), {}, 4000],
    ["of 20,000 listed values", [pay({ enum: many(20_000, (at) => `v${at}`) })], when("true"), {}, 40],
    ["of a pattern of many states", [pay({})], when('input.a.matches("[ab]*a[ab]{9}")'), {}, 100],
    [
      "of a schema's pattern of many states",
      [pay({ properties: { a: { pattern: "[ab]*a[ab]{8}b" } } })],
      when("true"),
      {},
      100,
    ],
    [
      "of variables that name each other",
      [pay(properties(50))],
      when("vars.v0"),
      Object.fromEntries(
        many(100, (at) => [`v${at}`, at < 99 ? `vars.v${at + 1} || input.p${at % 50} == "x"` : "true"]),
      ),
      300,
    ],
    [
      "of a rule about 300 tools",
      many(300, (at) => pay(properties(5 + (at % 3)), `t${at}`)),
      when(many(5, (at) => `input.p${at} == "x"`).join("||")),
      {},
      300,
    ],
    [
      "of the rules of one tool",
      [pay({})],
      many(5000, (at) => ({
        ...{ id: `r${at}`, effect: "allow", when: `input.a == ${at}` },
        match: { tools: at % 2 === 0 ? ["pay"] : ["p*"] },
      })),
      {},
      10_000,
    ],
  ])("%s", (_, tools, rules, variables = {}, pieces = 1) => {
    const costs = costsOf(tools, rules, variables);
    expect(Math.max(...costs)).toBeLessThanOrEqual(pieceMax);
    expect(costs.length).toBeGreaterThanOrEqual(pieces);
  });
});
