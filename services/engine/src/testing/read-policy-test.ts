import { modes } from "../documents/mode.ts";
import { effects } from "../documents/policy.ts";
import { labels, nameText, prose } from "../documents/read-names.ts";
import { readScope } from "../documents/read-scope.ts";
import {
  anyObject,
  finiteNumber,
  flag,
  integer,
  listOf,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
} from "../documents/shape.ts";
import type { JsonObject } from "../json.ts";

/** What a case expects of the verdict. What is not named is not compared. */
export interface Expectation {
  readonly effect: (typeof effects)[number];
  readonly code?: string;
  /** Exactly these, in any order: `rule`, or `policy/rule`. */
  readonly rules?: readonly string[];
  readonly message?: string;
  readonly transformedInput?: JsonObject;
  /** The effect that observed policies, or an observed subject, would have had. */
  readonly would?: (typeof effects)[number];
}

export interface PolicyTestCase {
  readonly name: string;
  /** Facts that this case has instead of the document's. */
  readonly given?: JsonObject;
  /** Facts that this case lacks: `call.input.memo`. */
  readonly without?: readonly string[];
  /** The case is run once for each of these facts. */
  readonly each?: readonly JsonObject[];
  readonly expect: Expectation;
}

export interface PolicyTestDocument {
  readonly spec: {
    /** Names of the policies that judge; absent: all. */
    readonly policies?: readonly string[];
    readonly given?: JsonObject;
    readonly cases: readonly PolicyTestCase[];
  };
}

const someText = text();
const idText: Reader<string> = (value, pointer, report) => (value === "" ? "" : someText(value, pointer, report));

const amount = record({ unit: required(someText), value: required(someText) });
const ruleRef = record({
  policy: required(nameText),
  version: optional(integer(1, 1_000_000)),
  rule: required(nameText),
});

const factFields = {
  call: optional(
    record({
      tool: optional(someText),
      input: optional(anyObject),
      context: optional(anyObject),
      answers: optional(anyObject),
      estimate: optional(listOf(amount, 0, 20)),
      attempt: optional(integer(1, 1000)),
    }),
  ),
  agent: optional(record({ id: optional(someText), labels: optional(labels), owner: optional(idText) })),
  principal: optional(record({ id: optional(someText), verified: optional(flag), labels: optional(labels) })),
  session: optional(
    record({
      id: optional(someText),
      labels: optional(labels),
      depth: optional(integer(0, 8)),
      purpose: optional(idText),
      ageSeconds: optional(finiteNumber),
      calls: optional(integer(0, Number.MAX_SAFE_INTEGER)),
    }),
  ),
  caller: optional(record({ id: optional(someText), name: optional(someText) })),
  now: optional(someText),
  scopes: optional(listOf(readScope, 0, 20)),
  mode: optional(oneOf(modes)),
  supportedConstraints: optional(listOf(someText, 0, 50)),
  granted: optional(listOf(ruleRef, 0, 50)),
};

/** Facts as they are written: checked, and kept as the plain value they are, to be merged. */
const facts: Reader<JsonObject> = (value, pointer, report) =>
  record(factFields)(value, pointer, report) && (value as JsonObject);

const expectation = record({
  effect: required(oneOf(effects)),
  code: optional(someText),
  rules: optional(listOf(someText, 0, 100)),
  message: optional(prose),
  transformedInput: optional(anyObject),
  would: optional(oneOf(effects)),
});

const missablePath = {
  test: (path: string) => /^(call\.(input|context|answers)|(agent|principal|session)\.labels)\../.test(path),
  expected: "a path such as call.input.memo, call.context.user or session.labels.untrusted",
};

const testCase = record({
  name: required(prose),
  given: optional(facts),
  without: optional(listOf(text(missablePath), 1, 50)),
  each: optional(listOf(facts, 1, 1000)),
  expect: required(expectation),
});

export const readPolicyTest: Reader<PolicyTestDocument> = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["PolicyTest"])),
  metadata: optional(record({ name: required(nameText), description: optional(prose) })),
  spec: required(
    record({
      policies: optional(listOf(nameText, 1, 1000)),
      given: optional(facts),
      cases: required(listOf(testCase, 1, 10_000)),
    }),
  ),
});
