import { readFileSync } from "node:fs";
import { type Documents, lint, namesOfFiles, parseDocuments, runPolicyTests } from "@remit/engine";
import { expect, test } from "vitest";
import { testDocuments } from "../../test/support/starter-cases.ts";
import { isTestFile } from "../document-files.ts";
import { checkDocuments } from "../offline.ts";
import { readStarterPack, type StarterPolicy } from "./read-pack.ts";

const pack = await readStarterPack();
const files = pack.flatMap((policy) => policy.files);
const documentsOf = (list: typeof files) => parseDocuments(list.filter(({ file }) => !isTestFile(file))).documents;
const all = documentsOf(files);

/** The attacks of a policy, each expected to be allowed. */
function attacksThatPass(policy: StarterPolicy) {
  const attacks = testDocuments(policy).filter(({ metadata }) => metadata.name === `${policy.name}-attacks`);
  const passing = attacks.map(({ spec, ...rest }) => ({
    ...rest,
    spec: { ...spec, cases: spec.cases.map((one) => ({ ...one, expect: { effect: "allow" } })) },
  }));
  const count = attacks.flatMap(({ spec }) => spec.cases).reduce((sum, { each }) => sum + (each?.length ?? 1), 0);
  const text = passing.map((one) => JSON.stringify(one)).join("\n---\n");
  return { count, file: { file: `${policy.name}-attacks`, text } };
}

/** The pack with one policy as people write it first. */
function withNaive(name: string): Documents {
  const file = new URL(`../../test/fixtures/naive/${name}.yaml`, import.meta.url);
  const { documents, problems } = parseDocuments([{ file: `${name}.yaml`, text: readFileSync(file, "utf8") }]);
  expect(problems).toEqual([]);
  return { ...all, policies: documents.policies };
}

test("the pack is ten policies, each with its tools, its tests and a sentence about it", () => {
  expect(pack.map(({ name }) => name)).toEqual(
    "files hours mail payments reads refunds shell sub-agents tainted urls".split(" "),
  );
  for (const { name, about, files: own } of pack) {
    expect(about).toMatch(/^[A-Z].*[.,]$/);
    expect(own.map(({ file }) => file)).toEqual([`${name}.yaml`, `${name}_test.yaml`]);
    expect(own[0]?.text).toContain("# Attack: ");
    expect(documentsOf([...own]).tools.length).toBeGreaterThan(0);
  }
});

test("lint has nothing to say about it, strict or not, whole or in parts", async () => {
  for (const part of [files, ...pack.map((policy) => [...policy.files])]) {
    const { problems } = await checkDocuments(part.filter(({ file }) => !isTestFile(file)));
    expect(problems).toEqual([]);
  }
});

test("its tests pass", () => {
  const { passed, failed } = runPolicyTests(
    files.filter(({ file }) => isTestFile(file)),
    all,
  );
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(70);
});

test.each(pack.map((policy) => [policy.name, policy] as const))(
  "the naive version of %s lets every attack through that ours stops",
  (name, policy) => {
    const { count, file } = attacksThatPass(policy);
    expect(count).toBeGreaterThan(0);
    const naive = runPolicyTests([file], withNaive(name));
    expect(naive.failed).toEqual([]);
    expect(naive.passed).toBe(count);
    expect(runPolicyTests([file], all).passed).toBe(0);
  },
);

test("lint warns of the naive versions that compare text", () => {
  const warned = pack.flatMap(({ name }) => {
    const documents = withNaive(name);
    return lint(documents, namesOfFiles(documents)).map(({ code }) => `${name}: ${code}`);
  });
  expect(warned.sort()).toEqual(
    ["files", "mail", "shell", "shell", "shell", "urls"].map((name) => `${name}: helper_advised`),
  );
});

test("together the policies stop every attack that each stops alone", () => {
  for (const policy of pack) {
    const { file } = attacksThatPass(policy);
    const everything = { ...file, text: file.text.replaceAll(/"policies":\["[^"]*"\],?/g, "") };
    expect(runPolicyTests([everything], all).passed, policy.name).toBe(0);
  }
});
