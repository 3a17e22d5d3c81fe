import { compileExpr } from "../../src/cel/expression.ts";
import type { ConditionProblem, Node } from "../../src/cel/node.ts";
import { parseCondition } from "../../src/cel/parse-condition.ts";
import { compileRegex } from "../../src/cel/regex.ts";
import { Failure } from "../../src/cel/value.ts";
import { frameOf } from "../conditions.ts";
import { sampleFacts } from "../sample.ts";
import type { ConformanceCase } from "./cases.ts";
import { isErrorAsExpected, reasonOf } from "./reasons.ts";
import { NotOurs, spelt, valueFrom } from "./written.ts";

/** How a case came out that did not pass. */
export type Outcome =
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "not ours"; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string }
  | { readonly kind: "another"; readonly message: string };

/** Undefined if our evaluator does as the case expects; otherwise the declared difference, or what is wrong. */
export function exceptionOf(one: ConformanceCase): string | undefined {
  try {
    const outcome = outcomeOf(one);
    return outcome && reasonOf(one, outcome);
  } catch (error) {
    if (error instanceof NotOurs) return reasonOf(one, { kind: "not ours", message: error.message });
    throw error;
  }
}

function outcomeOf({ section, expr, bindings, value, error, deduced }: ConformanceCase): Outcome | undefined {
  const expected = value && valueFrom(value);
  const locals = new Map<string, Node>();
  for (const [name, bound] of Object.entries(bindings)) {
    const known = valueFrom(bound);
    locals.set(name, { run: () => known, type: "dyn", size: 1, path: name });
  }
  const compiled = compiledNode(expr, locals);
  if (typeof compiled === "string") {
    return error && isErrorAsExpected(section, compiled) ? undefined : { kind: "refused", message: compiled };
  }
  if (expected === undefined && !error) return typeDiffers(compiled, deduced);
  const answer = compiled.run(frameOf(sampleFacts()));
  if (answer instanceof Failure) return error ? undefined : { kind: "unknown", message: answer.why };
  if (expected === undefined) return { kind: "another", message: `${spelt(answer)} instead of an error` };
  if (spelt(answer) === spelt(expected)) return undefined;
  return { kind: "another", message: `${spelt(answer)} instead of ${spelt(expected)}` };
}

/** Compiled as every condition is, with the case's own names beside the facts; or what is wrong with it. */
function compiledNode(text: string, locals: ReadonlyMap<string, Node>): Node | string {
  const parsed = parseCondition(text);
  if ("message" in parsed) return parsed.message;
  const problems: ConditionProblem[] = [];
  let slots = 0;
  const node = compileExpr(parsed.expr, {
    variables: { find: () => undefined, names: () => [], newLocal: () => slots++ },
    problems,
    answers: [],
    types: undefined,
    consult: () => undefined,
    regex: compileRegex,
    usedVariables: new Set(),
    budgets: new Set(),
    offsetOf: parsed.offsetOf,
    locals,
    macros: 0,
  });
  const wrong = problems.filter(({ severity }) => severity !== "warning");
  return wrong.length === 0 ? node : wrong.map(({ message }) => message).join("; ");
}

const primitives: Readonly<Record<string, string>> = { INT64: "int", DOUBLE: "double", BOOL: "bool", STRING: "string" };

/** A case that asks for a type alone: ours are coarser, so the kind is what is compared. */
function typeDiffers({ type }: Node, deduced: ConformanceCase["deduced"]): Outcome | undefined {
  const [[kind, value] = ["", ""]] = Object.entries(deduced ?? {}) as [string, unknown][];
  if (kind === "dyn") return undefined;
  const wanted = kind === "primitive" ? primitives[String(value)] : { listType: "list", mapType: "map" }[kind];
  if (wanted === type || (type === "dyn" && wanted !== undefined)) return undefined;
  return { kind: "another", message: `the type ${type} instead of ${JSON.stringify(deduced)}` };
}
