import { Effect } from "@remit/proto/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type House, openSession, readInvoice, startHouse } from "../support/pdp.ts";

/*
 * Documents that mean harm, sent by somebody with a key: refused with their places, and what was in force stays.
 */

let house: House;
let headers: Record<string, string>;

beforeAll(async () => {
  house = await startHouse();
  await furnish(house);
  ({ headers } = await openSession(house));
});

afterAll(() => house.close());

let calls = 0;
const decide = () => readInvoice(house, headers, `c-${++calls}`);

const head = (kind: string, spec: string) =>
  `apiVersion: remit/v1\nkind: ${kind}\nmetadata: { name: house }\nspec:\n${spec}`;
const rule = (more: string) =>
  head("Policy", `  rules:\n    - { id: a, match: { tools: ["*"] }, effect: deny, ${more} }\n`);
const schema = (text: string) => head("Tool", `  risk: read\n  inputSchema: ${text}\n`);
const long = (part: string, chars = 2 ** 20) => part.repeat(Math.floor(chars / part.length));

const doubled = (levels: number) => {
  const $defs = Object.fromEntries(
    Array.from({ length: levels }, (_, at) => [
      `d${at}`,
      { anyOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
    ]),
  );
  return JSON.stringify({ type: "object", $ref: "#/$defs/d0", $defs: { ...$defs, [`d${levels}`]: { type: "null" } } });
};

test.each<[string, "policy" | "tool", string, string]>([
  ["nested brackets", "policy", "[".repeat(200_000), "too_deep"],
  ["nested lists", "policy", "- ".repeat(100_000), "too_deep"],
  ["an alias bomb", "policy", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n", "yaml_unsupported"],
  ["a megabyte of closing brackets", "policy", long("]", 2 ** 19), "yaml_invalid"],
  ["one key a hundred thousand times", "policy", long("a: 1\n", 2 ** 19), "key_duplicate"],
  ["a number of a million digits", "policy", `a: ${"9".repeat(1_000_000)}`, "number_out_of_range"],
  [
    "two rules of one id",
    "policy",
    rule("").replace("]", "] ").concat('    - { id: a, match: { tools: ["*"] }, effect: allow }\n'),
    "name_taken",
  ],
  ["a name that looks like another", "policy", rule("").replace("id: a", "id: \u0430"), "value_invalid"],
  [
    "a name with nothing to see in it",
    "policy",
    rule("").replace("name: house", 'name: "ho\u200buse"'),
    "value_invalid",
  ],
  [
    "a condition nested deeply",
    "policy",
    rule(`when: "${"(".repeat(1_900)}true${")".repeat(1_900)}"`),
    "condition_invalid",
  ],
  [
    "a pattern that explodes",
    "policy",
    rule(`when: 'input.id.matches("((a{1,1000}){1,1000}){1,1000}")'`),
    "condition_invalid",
  ],
  [
    "a pattern of a schema that looks around",
    "tool",
    schema("{ properties: { a: { pattern: '(?=x)' } } }"),
    "schema_invalid",
  ],
  [
    "a pattern of a schema that explodes",
    "tool",
    schema("{ properties: { a: { pattern: '((a{1,1000}){1,1000}){1,1000}' } } }"),
    "schema_invalid",
  ],
  ["a schema nested deeply", "tool", schema(`${'{"items":'.repeat(60)}{}${"}".repeat(60)}`), "too_deep"],
])("%s is refused, and the last good policy answers", async (_what, kind, text, code) => {
  const file = { file: "hostile.yaml", text };
  const answer =
    kind === "policy"
      ? await house.clients.policies.publishPolicies({ files: [file] }, { headers })
      : await house.clients.tools.putTool({ document: file }, { headers });
  expect(answer.problems.map((problem) => problem.code)).toContain(code);
  expect(answer.problems.length).toBeLessThan(2_100);
  expect(await decide()).toMatchObject({ effect: Effect.ALLOW, rules: [{ policy: "house", rule: "reads" }] });
});

test("a schema that doubles at every reference is refused, or its check ends", async () => {
  const text = schema(doubled(60)).replace("name: house", "name: doubled");
  const put = await house.clients.tools.putTool({ document: { file: "doubled.yaml", text } }, { headers });
  expect(put.problems.length > 0 || put.tool !== undefined).toBe(true);
  const asked = await house.clients.decisions.decide(
    { callId: "doubled", tool: put.tool ? "doubled" : "nothing", input: { case: "inputObject", value: { a: 1 } } },
    { headers },
  );
  expect(asked.effect).toBe(Effect.DENY);
  expect((await decide()).effect).toBe(Effect.ALLOW);
});
