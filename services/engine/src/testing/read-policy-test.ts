import { nameText, prose } from "../documents/read-names.ts";
import { listOf, mapOf, oneOf, optional, type Reader, record, refined, required, text } from "../documents/shape.ts";
import type { JsonObject } from "../json.ts";
import { type Expectation, expectationFields } from "./expectation.ts";
import { fixtureReaders, readGiven } from "./read-facts.ts";

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

/** What a matrix runs over, in the order in which its cases are run: the last changes first. */
export const dimensions = ["agents", "principals", "sessions", "calls"] as const;
export type Dimension = (typeof dimensions)[number];

/** Names of fixtures, for some dimensions. */
type Selection = { readonly [D in Dimension]?: readonly string[] };

/** A row of a matrix: what is expected of the combinations it names; a dimension that it does not name is all of it. */
export type MatrixRow = Selection & Expectation;

/** Cases for every combination of named facts. */
export type Matrix = Selection & {
  readonly name: string;
  readonly given?: JsonObject;
  readonly without?: readonly string[];
  /** Together they say what is expected of every combination, and of none twice. */
  readonly expect: readonly MatrixRow[];
  /** Expected of combinations that no row names. */
  readonly otherwise?: Expectation;
};

export type Fixtures = { readonly [D in Dimension]?: Readonly<Record<string, JsonObject>> };

export interface PolicyTestDocument {
  readonly metadata?: { readonly name: string };
  readonly spec: {
    /** Names of the policies that judge; absent: all. */
    readonly policies?: readonly string[];
    readonly fixtures?: Fixtures;
    readonly given?: JsonObject;
    readonly cases?: readonly PolicyTestCase[];
    readonly matrix?: readonly Matrix[];
  };
}

const missable =
  /^(call\.(input|context|answers)\..|(agent|principal|session|tool)\.labels\..|agent\.(score|owner)$|session\.(calls|purpose)$|budget\..)/;
const missablePath = {
  test: (path: string) => missable.test(path),
  expected: "a path such as call.input.memo, call.context.user, session.labels.untrusted or agent.score",
};

const casesMax = 10_000;
const nameListed = listOf(nameText, 1, 1000);
const without = optional(listOf(text(missablePath), 1, 50));

const testCase = record({
  name: required(prose),
  given: optional(readGiven),
  without,
  each: optional(listOf(readGiven, 1, 1000)),
  expect: required(record(expectationFields)),
});

const selection = {
  agents: optional(nameListed),
  principals: optional(nameListed),
  sessions: optional(nameListed),
  calls: optional(nameListed),
};

const matrix = record({
  name: required(prose),
  given: optional(readGiven),
  without,
  ...selection,
  expect: required(listOf(record({ ...selection, ...expectationFields }), 0, 200)),
  otherwise: optional(record(expectationFields)),
});

const fixtureName = {
  test: (name: string) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name),
  expected: "letters, digits, `_`, `.` and `-`, at most 128",
};
const named = (reader: Reader<JsonObject>) => optional(mapOf(fixtureName, reader, 1000));
const fixtures = record({
  agents: named(fixtureReaders.agents),
  principals: named(fixtureReaders.principals),
  sessions: named(fixtureReaders.sessions),
  calls: named(fixtureReaders.calls),
});

const shape = record({
  apiVersion: required(oneOf(["remit/v1"])),
  kind: required(oneOf(["PolicyTest"])),
  metadata: optional(record({ name: required(nameText), description: optional(prose) })),
  spec: required(
    record({
      policies: optional(nameListed),
      fixtures: optional(fixtures),
      given: optional(readGiven),
      cases: optional(listOf(testCase, 1, casesMax)),
      matrix: optional(listOf(matrix, 1, 1000)),
    }),
  ),
});

export const readPolicyTest: Reader<PolicyTestDocument> = refined(shape, (test, _value, _pointer, report) => {
  if (test.spec.cases || test.spec.matrix) return test;
  report("/spec", "a test without cases", { atKey: true, expected: "cases, matrix or both" });
  return undefined;
});
