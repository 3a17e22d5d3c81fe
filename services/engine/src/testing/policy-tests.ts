import { type Compiled, compile } from "../compile/compile.ts";
import { finish } from "../compile/steps.ts";
import { nearestName } from "../documents/nearest.ts";
import { originReporter, type Report } from "../documents/origin.ts";
import type { Documents } from "../documents/parse.ts";
import { formatProblem, hasErrors, type Problem } from "../documents/problem.ts";
import { readYaml, type SourceFile } from "../documents/yaml-tree.ts";
import { type Explanation, explain } from "../explain/explain.ts";
import { checkLine, ruleLines } from "../explain/explanation-text.ts";
import { estimateFor } from "../judge/charges.ts";
import { evaluateInSteps } from "../judge/evaluate.ts";
import type { Facts } from "../judge/facts.ts";
import type { Verdict } from "../judge/verdict.ts";
import { type Coverage, type CoverageCounter, coverageOf } from "./coverage.ts";
import { countCases, expandCases, type RunnableCase } from "./expand-cases.ts";
import { type Difference, differences } from "./expectation.ts";
import { type PolicyTestDocument, readPolicyTest } from "./read-policy-test.ts";
import { toFacts } from "./written-facts.ts";

/** Where something stands in a test file; 0 where it has no place. */
interface TestPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The name of its document, empty without one. */
  readonly test: string;
  /** The case's name. */
  readonly name: string;
}

export interface PolicyTestFailure extends TestPlace {
  /** Which of the run's cases it is; absent where a file could not be read or documents did not compile. */
  readonly index?: number;
  /** Everything that is wrong, in words. */
  readonly message: string;
  /** What the verdict told instead; empty where there was none. */
  readonly said: string;
  /** The rules that decided, and the values that their conditions had. */
  readonly explanation: readonly string[];
  /** What is otherwise than expected; empty where a file could not be read or documents did not compile. */
  readonly differences: readonly Difference[];
}

export interface PolicyTestResult extends TestPlace {
  /** From 0, in the run. */
  readonly index: number;
  readonly passed: boolean;
}

export interface PolicyTestRun {
  readonly passed: number;
  readonly failed: readonly PolicyTestFailure[];
  /** Every case that was run, in order. */
  readonly cases: readonly PolicyTestResult[];
  readonly coverage?: Coverage;
}

export interface PolicyTestOptions {
  /** Only cases whose name, or whose document's name, holds this text. */
  readonly filter?: string;
  readonly coverage?: boolean;
}

/** Of all files together. */
export const testCasesMax = 100_000;

/** Rules that are explained of one failure, and failures that are explained. */
const excerptRulesMax = 10;
const excerptsMax = 200;

/** A case beside the policies that judge it. */
interface PlacedCase extends TestPlace {
  readonly one: RunnableCase;
  readonly compiled: Compiled;
}

/**
 * Runs test documents (kind PolicyTest) against policies and tools; every policy is version 1. A file that cannot be
 * read, or documents that do not compile, are failures too.
 */
export function runPolicyTests(
  testFiles: readonly SourceFile[],
  documents: Documents,
  { filter = "", coverage = false }: PolicyTestOptions = {},
): PolicyTestRun {
  const failed: PolicyTestFailure[] = [];
  const cases: PolicyTestResult[] = [];
  const counter = coverage ? coverageOf(documents.policies) : undefined;
  for (const { one, compiled, ...place } of placedCases(testFiles, documents, failed)) {
    if (!place.name.includes(filter) && !place.test.includes(filter)) continue;
    const wrong = runCase(one, compiled, counter, failed.length < excerptsMax);
    const index = cases.length;
    cases.push({ ...place, index, passed: wrong === undefined });
    if (wrong) failed.push({ ...place, index, ...wrong });
  }
  const passed = cases.filter((one) => one.passed).length;
  return { passed, failed, cases, ...(counter && { coverage: counter.result() }) };
}

function* placedCases(
  files: readonly SourceFile[],
  documents: Documents,
  failed: PolicyTestFailure[],
): Generator<PlacedCase> {
  const compileFor = compiler(documents);
  let left = testCasesMax;
  for (const file of files) {
    const problems: Problem[] = [];
    const fail = (name: string, test: string) => {
      for (const { line, column, ...problem } of problems.splice(0)) {
        const message = formatProblem({ ...problem, line, column });
        const place = { file: file.file, line, column, test, name };
        failed.push({ ...place, message, said: "", differences: [], explanation: [] });
      }
    };
    for (const { value, origin } of readYaml(file, problems)) {
      const report = originReporter(origin, problems);
      const document = readPolicyTest(value, "", report);
      const test = document?.metadata?.name ?? "";
      fail("reading the file", test);
      if (!document) continue;
      left -= countCases(document);
      if (left < 0) {
        report("", "too many cases", { expected: `at most ${testCasesMax} in all files together` });
        return fail("reading the file", test);
      }
      const compiled = compileFor(document, report);
      problems.push(...(compiled?.problems ?? []));
      fail(compiled ? "compiling the policies" : "finding the policies", test);
      if (!compiled?.compiled) continue;
      const runnable = expandCases(document, report);
      fail("reading the file", test);
      for (const one of runnable) {
        const { line, column } = placeOf(origin, one.pointer);
        yield { file: file.file, line, column, test, name: one.name, one, compiled: compiled.compiled };
      }
    }
    fail("reading the file", "");
  }
}

function placeOf(origin: Parameters<typeof originReporter>[0], pointer: string): { line: number; column: number } {
  const places: Problem[] = [];
  originReporter(origin, places)(pointer, "");
  return { line: places[0]?.line ?? 0, column: places[0]?.column ?? 0 };
}

/** Compiles the policies that a test names, once for each set of names. Undefined when one is not there. */
function compiler({ policies, tools }: Documents) {
  const known = policies.map(({ metadata }) => metadata.name);
  const kept = new Map<string, ReturnType<typeof compile>>();
  return ({ spec }: PolicyTestDocument, report: Report): ReturnType<typeof compile> | undefined => {
    const lost = (spec.policies ?? []).filter((name) => !known.includes(name));
    for (const name of lost) {
      const at = `/spec/policies/${spec.policies?.indexOf(name)}`;
      report(at, `there is no policy ${name}`, { nearest: nearestName(name, known) });
    }
    if (lost.length > 0) return undefined;
    const key = spec.policies ? JSON.stringify([...new Set(spec.policies)].sort()) : "";
    const before = kept.get(key);
    if (before) return before;
    const judging = policies.filter(({ metadata }) => !spec.policies || spec.policies.includes(metadata.name));
    const done = compile({ policies: judging.map((document) => ({ document, version: 1 })), tools });
    const result = hasErrors(done.problems) ? done : { ...done, problems: [] };
    kept.set(key, result);
    return result;
  };
}

/** The facts of a case as the engine gets them: what its tool is expected to cost stands in them. */
function factsOfCase(written: RunnableCase["facts"], compiled: Compiled): Facts {
  const facts = toFacts(written);
  const { call } = facts;
  return { ...facts, call: { ...call, estimate: estimateFor(compiled, call.tool, facts.input, call.estimate) } };
}

/** What is wrong; undefined if the case passes. */
function runCase(
  { facts: written, expect }: RunnableCase,
  compiled: Compiled,
  counter: CoverageCounter | undefined,
  explained: boolean,
): Pick<PolicyTestFailure, "message" | "said" | "differences" | "explanation"> | undefined {
  const facts = factsOfCase(written, compiled);
  const verdict: Verdict = finish(evaluateInSteps(compiled, facts, counter?.trace));
  counter?.verdict(verdict);
  const wrong = differences(expect, verdict);
  if (wrong.length === 0) return undefined;
  const detail = verdict.detail === undefined ? "" : ` (${verdict.detail})`;
  const told = wrong.map(({ what, expected, actual }) => `expected ${what} ${expected}, got ${actual}`).join("; ");
  const said = `${verdict.message}${detail}`;
  const explanation = explained ? excerpt(explain(compiled, facts), expect.rules ?? []) : [];
  return { message: `${told}: ${said}`, said, differences: wrong, explanation };
}

/** The rules that decided and those that were expected to, with their values. */
function excerpt({ considered, verdict, checks }: Explanation, expected: readonly string[]): string[] {
  const { rules, would, unknowns } = verdict;
  const decided = [...rules, ...(would?.rules ?? []), ...unknowns.map(({ rule }) => rule)];
  const shown = considered.filter(({ rule }) => {
    const named = expected.includes(rule.rule) || expected.includes(`${rule.policy}/${rule.rule}`);
    return named || decided.includes(rule);
  });
  const refused = checks.filter(({ outcome }) => outcome === "refused").map(checkLine);
  return [...refused, ...shown.slice(0, excerptRulesMax).flatMap(ruleLines)];
}
