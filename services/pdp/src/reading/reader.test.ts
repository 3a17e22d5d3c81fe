import { compile, type Documents, parseDocuments } from "@remit/engine";
import { afterAll, expect, test } from "vitest";
import { canonical } from "../foundation/canonical.ts";
import { digestBytes } from "../foundation/digest.ts";
import { createReader } from "./reader.ts";

const rule = (at: number, when: string) =>
  `    - { id: r${at}, match: { tools: [pay-${at}] }, effect: allow, when: '${when}' }\n`;
const policyText = (rules: number, name = "p") =>
  `apiVersion: remit/v1\nkind: Policy\nmetadata: { name: ${name} }\nspec:\n  rules:\n${Array.from(
    { length: rules },
    (_, at) => rule(at, `input.amount < ${at}`),
  ).join("")}`;
const toolText = `apiVersion: remit/v1
kind: Tool
metadata: { name: pay-3 }
spec: { risk: write, inputSchema: { type: object, properties: { sum: { type: number } }, additionalProperties: false } }
`;
const files = [{ file: "big.yaml", text: [policyText(80), toolText].join("---\n") }];

const reader = createReader({ atOnceCharsMax: 0 });
afterAll(() => reader.close());

const compiled = ({ policies, tools }: Documents) =>
  compile({ policies: policies.map((document) => ({ document, version: 1 })), tools }).problems;

test("what another thread reads is what is read here, problems found later with their places", async () => {
  const here = parseDocuments(files);
  const there = await reader.read(files);
  expect(there.documents).toEqual(here.documents);
  expect(there.problems).toEqual(here.problems);
  const [policy] = there.documents.policies;
  expect(policy && there.digestOf(policy)).toEqual(
    new Uint8Array(digestBytes("policy", canonical(here.documents.policies[0] as object))),
  );
  const later = await there.placed(compiled(there.documents));
  expect(later).toEqual(compiled(here.documents));
  expect(later.length).toBeGreaterThan(10);
  expect(later.every(({ line, excerpt }) => line > 0 && excerpt !== undefined)).toBe(true);
  there.done();
});

test("documents that are wrong are told of as they are here", async () => {
  const wrong = [{ file: "wrong.yaml", text: `${policyText(3).replace("effect: allow", "efect: allow")}---\nx: 1\n` }];
  const there = await reader.read(wrong);
  expect(there.problems).toEqual(parseDocuments(wrong).problems);
  expect(there.problems.length).toBeGreaterThan(1);
  there.done();
});

test("a thread that takes too long is ended, what it read is refused, and the next one reads", async () => {
  const hasty = createReader({ atOnceCharsMax: 0, timeMsMax: 1 });
  const slow = hasty.read([{ file: "slow.yaml", text: policyText(4_000) }]);
  await expect(slow).rejects.toMatchObject({ kind: "invalid", reason: "request_invalid", detail: { limit: "1 ms" } });
  await hasty.close();
  expect((await reader.read(files)).documents.policies).toHaveLength(1);
});

test("a thread that takes too much memory is ended, and the process goes on", async () => {
  const small = createReader({ atOnceCharsMax: 0, memoryMiBMax: 24 });
  const text = Array.from({ length: 6 }, (_, at) => policyText(6_000, `p${at}`)).join("---\n");
  await expect(small.read([{ file: "big.yaml", text }])).rejects.toMatchObject({
    kind: "invalid",
    message: "the files could not be read in the memory that there is for that",
  });
  expect((await reader.read(files)).documents.tools).toHaveLength(1);
  await small.close();
});

test("short documents are read at once, and who reads them needs no thread", async () => {
  const short = createReader();
  const { documents, placed } = await short.read([{ file: "tool.yaml", text: toolText }]);
  expect(documents.tools[0]?.metadata.name).toBe("pay-3");
  expect(await placed([])).toEqual([]);
});

test("who stays reads the shortest by a thread, and documents come over however many they are", async () => {
  const staying = createReader();
  staying.stay();
  const one = await staying.read([{ file: "tool.yaml", text: toolText }]);
  const [tool] = one.documents.tools;
  expect(tool && one.digestOf(tool)).toBeInstanceOf(Uint8Array);
  one.done();
  const text = Array.from({ length: 450 }, (_, at) => toolText.replace("pay-3", `pay-${at}`)).join("---\n");
  const many = await staying.read([{ file: "tools.yaml", text }]);
  expect(many.documents.tools.map(({ metadata }) => metadata.name)).toEqual(
    Array.from({ length: 450 }, (_, at) => `pay-${at}`),
  );
  const [problem] = await many.placed(
    compiled({ ...many.documents, policies: parseDocuments(files).documents.policies }),
  );
  expect(problem?.line).toBeGreaterThan(0);
  many.done();
  await staying.close();
});

test("what was read is taken over by the pause that the reader was given, document by document", async () => {
  let pauses = 0;
  const paused = createReader({ atOnceCharsMax: 0, pause: async () => void pauses++ });
  const text = Array.from({ length: 40 }, (_, at) => toolText.replace("pay-3", `pay-${at}`)).join("---\n");
  const { documents, done } = await paused.read([{ file: "tools.yaml", text }]);
  expect(documents.tools).toHaveLength(40);
  expect(pauses).toBeGreaterThanOrEqual(40);
  done();
  await paused.close();
});

test("files that are sent in many parts are read together, in their order", async () => {
  const long = Array.from({ length: 9 }, (_, at) => ({
    file: `f${at}.yaml`,
    text: `${"#".repeat(100_000)}\n${toolText.replace("pay-3", `pay-${at}`)}`,
  }));
  const wrong = { file: "wrong.yaml", text: "x: 1\n" };
  const there = await reader.read([...long, wrong]);
  expect(there.documents.tools.map(({ metadata }) => metadata.name)).toEqual(long.map((_, at) => `pay-${at}`));
  expect(there.problems).toEqual(parseDocuments([...long, wrong]).problems);
  there.done();
});

test("what makes the thread fail is nobody else's trouble, not even of who asked right behind it", async () => {
  const failing = reader.read([{ file: "not-text.yaml", text: { length: 1 } as unknown as string }]);
  const behind = reader.read(files);
  await expect(failing).rejects.toThrow("the thread that reads documents has failed");
  const { documents, done } = await behind;
  expect(documents.policies).toHaveLength(1);
  done();
});
