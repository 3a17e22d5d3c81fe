import { compile, parseDocuments, readCedar } from "@remit/engine";
import { afterAll, expect, test } from "vitest";
import { createCedarReader } from "./cedar-reader.ts";
import { createReader } from "./reader.ts";

const schema = `type Money = { sum: Long };
entity Agent { owner: String } tags String;
entity Tool;
action "pay" appliesTo { principal: Agent, resource: Tool, context: { input: { n: Long, money: Money } } };`;
const policies = (count: number, condition: string) =>
  Array.from(
    { length: count },
    (_, at) => `@id("r${at}") @effect("allow") permit (principal, action, resource) when { ${condition} };`,
  ).join("\n");
const wrong = { source: policies(40, "context.input.money.summ > 1"), schema };
const texts = { source: policies(40, "context.input.n > 1"), schema };

const reader = createReader({ atOnceCharsMax: 0 });
afterAll(() => reader.close());

test.each([
  ["that compiles", texts],
  ["that does not", wrong],
  ["that nests too deeply", { ...texts, source: `forbid (principal, action, resource) when { ${"(".repeat(99)} };` }],
  ["of which the schema is wrong", { ...texts, schema: "entity Agent {" }],
])("a policy %s is read by the thread as it is here", async (_, given) => {
  expect(await reader.cedar(given)).toEqual(readCedar(given));
});

test("a thread that takes too long is ended, and the policy refused", async () => {
  const hasty = createCedarReader({ timeMsMax: 1, memoryMiBMax: 64 });
  await expect(hasty.read(texts)).rejects.toMatchObject({ kind: "invalid", detail: { limit: "1 ms" } });
  await hasty.close();
});

test("where the thread cannot be asked, the policy is read all the same", async () => {
  const unsendable = { ...texts, more: () => undefined };
  expect(await reader.cedar(unsendable)).toEqual(readCedar(texts));
});

test("what is wrong in a long source is told at its line, whoever has read it", async () => {
  const source = policies(90, "context.inptu.n > 1");
  expect(source.length).toBeGreaterThan(4096);
  const block = (text: string) => text.replaceAll("\n", "\n    ");
  const text = `apiVersion: remit/v1
kind: Policy
metadata: { name: p }
spec:
  language: cedar
  match: { tools: [pay] }
  schema: |
    ${block(schema)}
  source: >
    ${block(source.replaceAll("\n", "\n\n"))}
`;
  const files = [{ file: "p.yaml", text }];
  const problemsOf = ([document]: ReturnType<typeof parseDocuments>["documents"]["policies"]) =>
    document ? compile({ policies: [{ document, version: 1 }], tools: [] }).problems : [];
  const here = problemsOf(parseDocuments(files).documents.policies);
  const there = await reader.read(files);
  const placed = await there.placed(problemsOf(there.documents.policies));
  there.done();
  expect(new Set(here.map(({ line }) => line)).size).toBeGreaterThan(80);
  expect(placed).toEqual(here);
});
