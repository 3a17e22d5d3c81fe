import { nearestName } from "../documents/nearest.ts";
import { below, type Report } from "../documents/origin.ts";
import { isJsonObject, type JsonObject, ownValue } from "../json.ts";
import type { Expectation } from "./expectation.ts";
import {
  type Dimension,
  dimensions,
  type Fixtures,
  type Matrix,
  type MatrixRow,
  type PolicyTestCase,
  type PolicyTestDocument,
} from "./read-policy-test.ts";
import { defaultFacts, mergeFacts, withoutPath } from "./written-facts.ts";

/** One case, ready to be run. */
export interface RunnableCase {
  readonly name: string;
  readonly facts: JsonObject;
  readonly expect: Expectation;
  /** Where it stands in its document. */
  readonly pointer: string;
}

/** What each dimension's facts are called in facts. */
const factOf = { agents: "agent", principals: "principal", sessions: "session", calls: "call" } as const;

/** How many cases a document has, without making them. */
export function countCases({ spec }: PolicyTestDocument): number {
  const written = (spec.cases ?? []).reduce((sum, { each }) => sum + (each?.length ?? 1), 0);
  return written + (spec.matrix ?? []).reduce((sum, matrix) => sum + combinationCount(matrix), 0);
}

function combinationCount(matrix: Matrix): number {
  return dimensions.reduce((product, dimension) => product * (matrix[dimension]?.length ?? 1), 1);
}

interface Expanding {
  readonly fixtures: Fixtures;
  readonly shared: JsonObject;
  readonly report: Report;
}

/** Every case of a document; what is wrong with its names is reported, and those cases are left out. */
export function expandCases({ spec }: PolicyTestDocument, report: Report): RunnableCase[] {
  const fixtures = spec.fixtures ?? {};
  const start: Expanding = { fixtures, shared: defaultFacts, report };
  const shared = over(start, defaultFacts, spec.given, "/spec/given");
  if (!shared) return [];
  const expanding = { ...start, shared };
  return [
    ...(spec.cases ?? []).flatMap((one, index) => variants(one, below("/spec/cases", index), expanding)),
    ...(spec.matrix ?? []).flatMap((matrix, index) => combinations(matrix, below("/spec/matrix", index), expanding)),
  ];
}

/** Facts with others over them; names of fixtures stand for what they name. Undefined if a name is of none. */
function over(
  { fixtures, report }: Expanding,
  under: JsonObject,
  given: JsonObject | undefined,
  pointer: string,
): JsonObject | undefined {
  if (!given) return under;
  let whole = true;
  const resolved = Object.entries(given).map(([key, value]) => {
    const dimension = dimensions.find((name) => factOf[name] === key);
    if (typeof value !== "string" || !dimension) return [key, value] as const;
    const found = fixture(fixtures, dimension, value, below(pointer, key), report);
    if (!found) whole = false;
    return [key, found ?? {}] as const;
  });
  return whole ? mergeFacts(under, Object.fromEntries(resolved)) : undefined;
}

function fixture(
  fixtures: Fixtures,
  dimension: Dimension,
  name: string,
  pointer: string,
  report: Report,
): JsonObject | undefined {
  const known = fixtures[dimension] ?? {};
  const found = ownValue(known, name);
  if (isJsonObject(found)) return found;
  const names = Object.keys(known);
  report(pointer, `there is no \`${name}\` among the fixtures' ${dimension}`, {
    expected: names.length === 0 ? `${dimension} in spec.fixtures` : names.join(", "),
    nearest: nearestName(name, names),
  });
  return undefined;
}

function without(facts: JsonObject, paths: readonly string[] | undefined): JsonObject {
  return (paths ?? []).reduce((left, path) => withoutPath(left, path.split(".")), facts);
}

function variants(one: PolicyTestCase, pointer: string, expanding: Expanding): RunnableCase[] {
  const given = over(expanding, expanding.shared, one.given, below(pointer, "given"));
  if (!given) return [];
  const each: readonly JsonObject[] = one.each ?? [{}];
  return each.flatMap((variant, index) => {
    const at = one.each ? below(below(pointer, "each"), index) : pointer;
    const merged = over(expanding, given, variant, at);
    if (!merged) return [];
    const name = one.each ? `${one.name} (${index + 1})` : one.name;
    return [{ name, facts: without(merged, one.without), expect: one.expect, pointer: at }];
  });
}

/** One name for each dimension that a matrix has. */
type Combination = { readonly [D in Dimension]?: string };

function combinations(matrix: Matrix, pointer: string, expanding: Expanding): RunnableCase[] {
  const { report } = expanding;
  const given = over(expanding, expanding.shared, matrix.given, below(pointer, "given"));
  if (!given || !namesFit(matrix, pointer, expanding)) return [];
  const rows = matrix.expect.map((row, index) => ({
    row,
    pointer: below(below(pointer, "expect"), index),
    names: dimensions.flatMap((dimension) => {
      const names = row[dimension];
      return names ? [[dimension, new Set(names)] as const] : [];
    }),
  }));
  const unnamed: string[] = [];
  let unnamedCount = 0;
  const cases: RunnableCase[] = [];
  for (const combination of product(matrix)) {
    const label = labelOf(combination);
    const [row, second] = rows.filter(({ names }) => names.every(([name, set]) => set.has(combination[name] ?? "")));
    if (row && second) {
      report(second.pointer, `${label} is expected by row ${rows.indexOf(row) + 1} too`, {
        expected: "one row for each",
      });
      return [];
    }
    if (!row && !matrix.otherwise) {
      if (unnamedCount++ < 5) unnamed.push(label);
      continue;
    }
    const facts = dimensions.reduce((under, dimension) => {
      const name = combination[dimension];
      const named = name === undefined ? undefined : expanding.fixtures[dimension]?.[name];
      return named ? mergeFacts(under, { [factOf[dimension]]: named }) : under;
    }, given);
    cases.push({
      name: `${matrix.name} [${label}]`,
      facts: without(facts, matrix.without),
      expect: expectationOf(row?.row ?? matrix.otherwise),
      pointer: row?.pointer ?? below(pointer, "otherwise"),
    });
  }
  if (unnamedCount === 0) return cases;
  const more = unnamedCount > unnamed.length ? `, and ${unnamedCount - unnamed.length} more` : "";
  report(pointer, `nothing is expected of ${unnamed.map((label) => `[${label}]`).join(", ")}${more}`, {
    expected: "a row of `expect` for each combination, or `otherwise`",
  });
  return [];
}

function namesFit(matrix: Matrix, pointer: string, { fixtures, report }: Expanding): boolean {
  let fit = true;
  const refuse: Report = (at, message, details) => {
    fit = false;
    report(at, message, details);
  };
  const used = dimensions.filter((dimension) => matrix[dimension]);
  if (used.length === 0) refuse(pointer, "a matrix over nothing", { expected: dimensions.join(", ") });
  for (const dimension of used) {
    const names = matrix[dimension] ?? [];
    for (const [index, name] of names.entries()) {
      const at = below(below(pointer, dimension), index);
      fixture(fixtures, dimension, name, at, refuse);
      if (names.indexOf(name) < index) refuse(at, `\`${name}\` stands twice`);
    }
  }
  for (const [index, row] of matrix.expect.entries()) {
    for (const dimension of dimensions) {
      const names = matrix[dimension] ?? [];
      const strange = row[dimension]?.find((name) => !names.includes(name));
      if (strange === undefined) continue;
      refuse(below(below(below(pointer, "expect"), index), dimension), `\`${strange}\` is not in this matrix`, {
        expected: names.length === 0 ? `no \`${dimension}\` here` : names.join(", "),
        nearest: nearestName(strange, names),
      });
    }
  }
  return fit;
}

function* product(matrix: Matrix): Generator<Combination> {
  const walk = function* (at: number, chosen: Combination): Generator<Combination> {
    const dimension = dimensions[at];
    if (dimension === undefined) return yield chosen;
    const names = matrix[dimension];
    if (!names) return yield* walk(at + 1, chosen);
    for (const name of names) yield* walk(at + 1, { ...chosen, [dimension]: name });
  };
  yield* walk(0, {});
}

function labelOf(combination: Combination): string {
  return dimensions
    .flatMap((dimension) =>
      combination[dimension] === undefined ? [] : [`${factOf[dimension]}=${combination[dimension]}`],
    )
    .join(", ");
}

function expectationOf(row: MatrixRow | Expectation | undefined): Expectation {
  const { agents: _1, principals: _2, sessions: _3, calls: _4, ...expect } = (row ?? { effect: "deny" }) as MatrixRow;
  return expect;
}
