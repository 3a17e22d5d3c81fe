import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDocuments, runPolicyTests } from "../src/index.ts";

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
