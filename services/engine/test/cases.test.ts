import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile, parseDocuments, runPolicyTests } from "../src/index.ts";

const folder = new URL("./cases/", import.meta.url);
const read = (file: string) => ({ file, text: readFileSync(new URL(file, folder), "utf8") });
const tests = readdirSync(folder).filter((file) => file.endsWith("_test.yaml"));

describe("the cases in test/cases", () => {
  it.each(tests)("%s pass on their documents", (file) => {
    const { documents, problems } = parseDocuments([read(file.replace("_test.yaml", ".yaml"))]);
    expect(problems).toEqual([]);
    const { passed, failed } = runPolicyTests([read(file)], documents);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(5);
  });
});

describe("the language reference", () => {
  const page = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```yaml\n(apiVersion:[\s\S]*?)```/g)].map(([, text = ""]) => text);
  const isTest = (text: string) => text.includes("kind: PolicyTest");
  const { documents, problems } = parseDocuments(
    blocks.filter((text) => !isTest(text)).map((text, index) => ({ file: `block ${index}`, text })),
  );

  it("shows documents that compile", () => {
    const policies = documents.policies.map((document) => ({ document, version: 1 }));
    expect([...problems, ...compile({ policies, tools: documents.tools }).problems]).toEqual([]);
    expect([documents.policies.length, documents.tools.length, documents.agents.length]).toEqual([1, 1, 1]);
  });

  it("shows a test that passes on the worked example", () => {
    const example = parseDocuments([read("payments.yaml")]).documents;
    const tests = blocks.filter(isTest).map((text) => ({ file: "policy.md", text }));
    const { passed, failed } = runPolicyTests(tests, example);
    expect(failed).toEqual([]);
    expect(passed).toBe(13);
  });
});
