import { parseAllDocuments } from "yaml";
import { isTestFile } from "../../src/document-files.ts";
import type { StarterPolicy } from "../../src/starter/read-pack.ts";

type Facts = { readonly [key: string]: unknown };

interface TestCase {
  readonly name: string;
  readonly given?: Facts;
  readonly each?: readonly Facts[];
  readonly expect: { readonly effect: string; readonly code?: string };
}

export interface TestDocument {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly given?: Facts; readonly cases: readonly TestCase[] };
}

/** One case with all the facts that it states. */
export interface StarterCase {
  readonly name: string;
  readonly facts: {
    readonly call: { readonly tool: string; readonly input?: object; readonly context?: object };
    readonly session?: { readonly labels?: Record<string, string>; readonly depth?: number };
    readonly now?: string;
    readonly granted?: unknown;
  };
  readonly expect: TestCase["expect"];
}

/** The test documents of a starter policy. */
export function testDocuments({ files }: StarterPolicy): TestDocument[] {
  const text = files.find(({ file }) => isTestFile(file))?.text ?? "";
  return parseAllDocuments(text).map((document) => document.toJS() as TestDocument);
}

/** Every case of a starter policy's tests. */
export function starterCases(policy: StarterPolicy): StarterCase[] {
  return testDocuments(policy).flatMap(({ metadata, spec }) =>
    spec.cases.flatMap(({ name, given = {}, each = [{}], expect }) =>
      each.map((one, index) => {
        const facts = merge(merge(spec.given ?? {}, given), one) as StarterCase["facts"];
        return { name: `${metadata.name}: ${name} (${index + 1})`, facts, expect };
      }),
    ),
  );
}

function merge(under: Facts, over: Facts): Facts {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(below) && isMap(value) ? merge(below, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
