import { describe, expect, it } from "vitest";
import { policyText, toolText } from "../../test/sample.ts";
import type { JsonObject } from "../index.ts";
import { parseDocuments } from "../index.ts";
import { compileInSlices } from "./compile.ts";

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
