import { isUnit, microsOf } from "../amount.ts";
import { modes } from "../documents/mode.ts";
import { nameText } from "../documents/read-names.ts";
import { readScopeOfEntry } from "../documents/read-scope.ts";
import {
  anyObject,
  described,
  finiteNumber,
  flag,
  integer,
  listOf,
  mapOf,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
} from "../documents/shape.ts";
import type { JsonObject } from "../json.ts";

const someText = text();
const idText: Reader<string> = described({ type: "string" }, (value, pointer, report) =>
  value === "" ? "" : someText(value, pointer, report),
);

const amount = record({ unit: required(someText), value: required(someText) });
const decimal = text({
  test: (value) => microsOf(value) !== undefined,
  expected: 'a decimal written as text, such as "12.50"',
});
const budgetName = {
  test: (name: string) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name),
  expected: "the name of a budget",
};
const budget = record({
  unit: required(text({ test: isUnit, expected: "a currency such as EUR, or a word such as tokens" })),
  limit: optional(decimal),
  spent: optional(decimal),
  remaining: optional(decimal),
});
const ruleRef = record({
  policy: required(nameText),
  version: optional(integer(1, 1_000_000)),
  rule: required(nameText),
});

/** Labels as sessions and principals may have them: wider than documents write them. */
const factLabels = mapOf({ test: (name) => name !== "", expected: "the name of a label" }, idText, 256);

/** Checked, and kept as the plain value it is, to be merged. */
function asWritten(read: Reader<unknown>): Reader<JsonObject> {
  return described(read.schema ?? {}, (value, pointer, report) =>
    read(value, pointer, report) === undefined ? undefined : (value as JsonObject),
  );
}

/** The facts that tests give names to, and that a matrix runs over. */
export const fixtureReaders = {
  agents: asWritten(
    record({
      id: optional(idText),
      labels: optional(factLabels),
      owner: optional(idText),
      score: optional(integer(300, 850)),
    }),
  ),
  principals: asWritten(record({ id: optional(idText), verified: optional(flag), labels: optional(factLabels) })),
  sessions: asWritten(
    record({
      id: optional(idText),
      labels: optional(factLabels),
      depth: optional(integer(0, 8)),
      purpose: optional(idText),
      ageSeconds: optional(finiteNumber),
      calls: optional(integer(0, Number.MAX_SAFE_INTEGER)),
    }),
  ),
  calls: asWritten(
    record({
      tool: optional(someText),
      input: optional(anyObject),
      context: optional(anyObject),
      answers: optional(anyObject),
      estimate: optional(listOf(amount, 0, 20)),
      attempt: optional(integer(1, 1000)),
      schemaDigest: optional(idText),
    }),
  ),
};

/** A value, or the name of a fixture that is one. */
function orName(read: Reader<JsonObject>): Reader<JsonObject | string> {
  return described({ anyOf: [nameText.schema ?? {}, read.schema ?? {}] }, (value, pointer, report) =>
    typeof value === "string" ? nameText(value, pointer, report) : read(value, pointer, report),
  );
}

const otherFacts = {
  budget: optional(mapOf(budgetName, budget, 100)),
  caller: optional(record({ id: optional(idText), name: optional(idText) })),
  now: optional(someText),
  scopes: optional(listOf(readScopeOfEntry, 0, 20)),
  mode: optional(oneOf(modes)),
  supportedConstraints: optional(listOf(someText, 0, 50)),
  granted: optional(listOf(ruleRef, 0, 50)),
};
const { agents, principals, sessions, calls } = fixtureReaders;

/** Facts as they are written, every part of them optional. */
export const readFacts: Reader<JsonObject> = asWritten(
  record({
    ...{ agent: optional(agents), principal: optional(principals) },
    ...{ session: optional(sessions), call: optional(calls) },
    ...otherFacts,
  }),
);

/** The same, where `agent`, `principal`, `session` and `call` may be the name of a fixture. */
export const readGiven: Reader<JsonObject> = asWritten(
  record({
    ...{ agent: optional(orName(agents)), principal: optional(orName(principals)) },
    ...{ session: optional(orName(sessions)), call: optional(orName(calls)) },
    ...otherFacts,
  }),
);
