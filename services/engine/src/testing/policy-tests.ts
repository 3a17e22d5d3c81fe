import { type Compiled, compile } from "../compile/compile.ts";
import { originReporter } from "../documents/origin.ts";
import type { Documents } from "../documents/parse.ts";
import { formatProblem, hasErrors, type Problem } from "../documents/problem.ts";
import { readYaml, type SourceFile } from "../documents/yaml-tree.ts";
import { isJsonObject, type JsonObject, type JsonValue, ownValue, sameJson, setOwn } from "../json.ts";
import { estimateFor } from "../judge/estimate.ts";
import { evaluate } from "../judge/evaluate.ts";
import type { Facts } from "../judge/facts.ts";
import type { RuleRef, Verdict } from "../judge/verdict.ts";
import { type Expectation, type PolicyTestCase, type PolicyTestDocument, readPolicyTest } from "./read-policy-test.ts";

export interface PolicyTestFailure {
  readonly file: string;
  /** The case's name. */
  readonly name: string;
  readonly message: string;
}

/** What a case knows unless it or its document says otherwise. */
const defaults: JsonObject = {
  call: { tool: "", input: {}, context: {}, answers: {}, estimate: [], attempt: 1 },
  agent: { id: "agent", labels: {}, owner: "" },
  principal: { id: "principal", verified: true, labels: {} },
  session: { id: "session", labels: {}, depth: 0, purpose: "", ageSeconds: 0, calls: 0 },
  caller: { id: "caller", name: "caller" },
  now: "2026-01-01T00:00:00Z",
  scopes: [{ tools: ["*"] }],
  mode: "enforce",
  supportedConstraints: ["maxOutputBytes", "redactOutput", "requireIdempotencyKey", "timeout"],
  granted: [],
};

/**
 * Runs test documents (kind PolicyTest) against policies and tools; every policy is version 1. A file that cannot be
 * read, or documents that do not compile, are failures too.
 */
export function runPolicyTests(
  testFiles: readonly SourceFile[],
  documents: Documents,
): { passed: number; failed: PolicyTestFailure[] } {
  const failed: PolicyTestFailure[] = [];
  let passed = 0;
  for (const file of testFiles) {
    for (const test of readTests(file, failed)) {
      const compiled = compileFor(test, documents, file, failed);
      if (!compiled) continue;
      for (const one of casesOf(test)) {
        const message = runCase(one, compiled);
        if (message === undefined) passed++;
        else failed.push({ file: file.file, name: one.name, message });
      }
    }
  }
  return { passed, failed };
}

function readTests(file: SourceFile, failed: PolicyTestFailure[]): PolicyTestDocument[] {
  const problems: Problem[] = [];
  const tests = readYaml(file, problems).map(({ value, origin }) => {
    return readPolicyTest(value, "", originReporter(origin, problems));
  });
  for (const problem of problems)
    failed.push({ file: file.file, name: "reading the file", message: formatProblem(problem) });
  return tests.filter((test) => test !== undefined);
}

function compileFor(
  { spec }: PolicyTestDocument,
  documents: Documents,
  { file }: SourceFile,
  failed: PolicyTestFailure[],
): Compiled | undefined {
  const known = new Set(documents.policies.map(({ metadata }) => metadata.name));
  const lost = (spec.policies ?? []).filter((name) => !known.has(name));
  for (const name of lost) failed.push({ file, name: "finding the policies", message: `there is no policy ${name}` });
  const policies = documents.policies
    .filter(({ metadata }) => !spec.policies || spec.policies.includes(metadata.name))
    .map((document) => ({ document, version: 1 }));
  const { compiled, problems } = compile({ policies, tools: documents.tools });
  if (!hasErrors(problems)) return lost.length > 0 ? undefined : compiled;
  for (const problem of problems)
    failed.push({ file, name: "compiling the policies", message: formatProblem(problem) });
  return undefined;
}

interface RunnableCase {
  readonly name: string;
  readonly facts: JsonObject;
  readonly expect: Expectation;
}

function casesOf({ spec }: PolicyTestDocument): RunnableCase[] {
  const shared = merge(defaults, spec.given ?? {});
  return spec.cases.flatMap((one: PolicyTestCase) => {
    const variants: readonly JsonObject[] = one.each ?? [{}];
    return variants.map((variant, index) => {
      const merged = merge(merge(shared, one.given ?? {}), variant);
      const facts = (one.without ?? []).reduce((left, path) => withoutPath(left, path.split(".")), merged);
      return { name: one.each ? `${one.name} (${index + 1})` : one.name, facts, expect: one.expect };
    });
  });
}

/** Maps are merged key by key; everything else is replaced. */
function merge(under: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = {};
  for (const key of Object.keys(under)) setOwn(merged, key, under[key] ?? null);
  for (const key of Object.keys(over)) {
    const [below, above] = [ownValue(merged, key), over[key] ?? null];
    setOwn(merged, key, isJsonObject(below) && isJsonObject(above) ? merge(below, above) : above);
  }
  return merged;
}

function withoutPath(map: JsonObject, [key = "", ...rest]: readonly string[]): JsonObject {
  const entries = Object.keys(map).flatMap((name): [string, JsonValue][] => {
    const value = map[name] ?? null;
    if (name !== key) return [[name, value]];
    return rest.length === 0 ? [] : [[name, isJsonObject(value) ? withoutPath(value, rest) : value]];
  });
  const left: Record<string, JsonValue> = {};
  for (const [name, value] of entries) setOwn(left, name, value);
  return left;
}

/** The written facts have the arguments of the call beside its tool; the engine has them at the top. */
function toFacts(written: JsonObject): Facts {
  const { call, granted, ...rest } = written as unknown as Omit<
    Facts,
    "input" | "context" | "answers" | "call" | "granted"
  > & {
    readonly call: Facts["call"] & Pick<Facts, "input" | "context" | "answers">;
    readonly granted: readonly (Omit<RuleRef, "version"> & { readonly version?: number })[];
  };
  const { input = {}, context = {}, answers = {}, ...asked } = call;
  return { ...rest, input, context, answers, call: asked, granted: granted.map((rule) => ({ version: 1, ...rule })) };
}

/** What is wrong, in words; undefined if the case passes. */
function runCase({ facts: written, expect }: RunnableCase, compiled: Compiled): string | undefined {
  const facts = toFacts(written);
  const { call } = facts;
  const estimate = estimateFor(compiled, call.tool, call.estimate);
  const verdict = evaluate(compiled, { ...facts, call: { ...call, estimate } });
  const wrong = differences(expect, verdict);
  if (wrong.length === 0) return undefined;
  const detail = verdict.detail === undefined ? "" : ` (${verdict.detail})`;
  return `${wrong.join("; ")}: ${verdict.message}${detail}`;
}

function differences(expect: Expectation, verdict: Verdict): string[] {
  const wrong: string[] = [];
  const compare = (what: string, expected: string | undefined, actual: string | undefined) => {
    if (expected !== undefined && expected !== actual)
      wrong.push(`expected ${what} ${expected}, got ${actual ?? "none"}`);
  };
  compare("effect", expect.effect, verdict.effect);
  compare("code", expect.code, verdict.code);
  compare("message", expect.message, verdict.message);
  compare("would", expect.would, verdict.would?.effect);
  if (expect.rules) compare("rules", listed(expect.rules), listed(namesLike(expect.rules, verdict.rules)));
  const { transformedInput } = verdict;
  if (expect.transformedInput && !(transformedInput && sameJson(expect.transformedInput, transformedInput))) {
    compare("input", JSON.stringify(expect.transformedInput), JSON.stringify(transformedInput) ?? "none");
  }
  return wrong;
}

/** Rules as the expectation names them: with their policy only where it does. */
function namesLike(expected: readonly string[], rules: readonly RuleRef[]): string[] {
  return rules.map(({ policy, rule }) => (expected.includes(`${policy}/${rule}`) ? `${policy}/${rule}` : rule));
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : [...names].sort().join(", ");
}
