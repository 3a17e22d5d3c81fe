import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { microsMax, microsOf } from "../amount.ts";
import { rootNames } from "../cel/fact-paths.ts";
import type { Frame, ToolFacts } from "../cel/frame.ts";
import { evaluationStepsMax, noAmountsRead } from "../cel/frame.ts";
import { typeWords } from "../cel/node.ts";
import { parseCondition } from "../cel/parse-condition.ts";
import { Failure, kindOf, type Outcome, Quantity } from "../cel/value.ts";
import { below, type Report } from "../documents/origin.ts";
import type { ToolDocument } from "../documents/tool.ts";
import type { CostDocument } from "../documents/tool-cost.ts";
import type { JsonObject } from "../json.ts";
import { unsure } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import { policyExpressions, textCost } from "./condition.ts";
import type { Steps } from "./steps.ts";

/** What a call of a tool costs in one unit, ready to compute. */
export type CompiledCost =
  | { readonly unit: string; readonly micros: bigint }
  | { readonly unit: string; readonly run: (frame: Frame) => Outcome };

/** What calls of a tool cost. */
export interface CompiledCosts {
  readonly costs: readonly CompiledCost[];
  /** Whether one of them is an expression. */
  readonly computed: boolean;
  /** Whether a call costs nothing in any other unit. */
  readonly nothingElse: boolean;
}

const noCosts: CompiledCosts = { costs: [], computed: false, nothingElse: false };
const costsNothing: CompiledCosts = { ...noCosts, nothingElse: true };

/** Compiles the cost of a tool for its own schemas. Reports what is wrong; such a cost answers a failure. */
export function* compileCosts(document: ToolDocument, facts: ToolFacts, report: Report): Steps<CompiledCosts> {
  const { cost } = document.spec;
  if (cost === undefined) return noCosts;
  if (cost === "none") return costsNothing;
  const costs: CompiledCost[] = [];
  for (const [index, one] of cost.entries()) {
    const place = below("/spec/cost", index);
    if ("value" in one) costs.push({ unit: one.unit, micros: microsOf(one.value) ?? microsMax });
    else costs.push(yield* compileCost(one, document, facts, below(place, "expression"), report));
  }
  return { costs, computed: costs.some((one) => "run" in one), nothingElse: false };
}

const broken = new Failure("error", "the cost did not compile");

function* compileCost(
  { unit, expression }: Exclude<CostDocument, { readonly value: string }>,
  document: ToolDocument,
  facts: ToolFacts,
  pointer: string,
  report: Report,
): Steps<CompiledCost> {
  const types: ToolTypes = {
    input: facts.input ?? unsure,
    context: facts.context ?? unsure,
    owner: document.metadata.name,
    named: true,
  };
  const expressions = policyExpressions({}, report).among(types);
  yield* expressions.prepare(expression);
  const reads = readsOf(expression, pointer, report);
  const compiled = expressions.value(expression, pointer);
  yield textCost(expression);
  if (!compiled) return { unit, run: () => broken };
  const { types: possible, run } = compiled;
  const expected = `an amount such as amount(input.amount, "${unit}"), or an int of whole ${unit}`;
  if (!possible.some((type) => type === "dyn" || type === "amount" || type === "int")) {
    report(pointer, `a cost that is ${typeWords(possible)}`, { code: "type_contradicted", expected });
  } else if (!reads) {
    // The same for every call, so what is wrong with it is known now.
    const always = costFrom(run(costFrame({}, facts)), unit);
    if (typeof always !== "bigint") report(pointer, always, { code: "type_contradicted", expected });
  }
  return { unit, run };
}

/** Whether an expression reads facts, its call's input above all; reports the other facts that it reads. */
function readsOf(text: string, pointer: string, report: Report): boolean {
  const parsed = parseCondition(text);
  if ("message" in parsed) return true;
  let reads = false;
  const visit = (expr: Expr | undefined, bound: ReadonlySet<string>): void => {
    if (!expr) return;
    const { exprKind: kind } = expr;
    if (kind.case === "identExpr" && !bound.has(kind.value.name)) {
      const { name } = kind.value;
      if (name === "input") reads = true;
      else if (rootNames.includes(name)) {
        reads = true;
        report(pointer, `a cost cannot read \`${name}\``, {
          code: "condition_invalid",
          expected: "the input alone: what a call costs does not depend on who asks",
          within: { text, offset: parsed.offsetOf(expr) },
        });
      }
    }
    for (const [part, names] of partsOf(expr)) visit(part, names.length > 0 ? new Set([...bound, ...names]) : bound);
  };
  visit(parsed.expr, new Set());
  return reads;
}

/** The parts of an expression, and the names that a macro binds in them. */
function partsOf({ exprKind: kind }: Expr): readonly (readonly [Expr | undefined, readonly string[]])[] {
  const plain = (parts: readonly (Expr | undefined)[]) => parts.map((part) => [part, []] as const);
  switch (kind.case) {
    case "selectExpr":
      return plain([kind.value.operand]);
    case "callExpr":
      return plain([kind.value.target, ...kind.value.args]);
    case "listExpr":
      return plain(kind.value.elements);
    case "structExpr":
      return plain(kind.value.entries.map(({ value }) => value));
    case "comprehensionExpr": {
      const { iterRange, iterVar, accuVar, loopStep } = kind.value;
      return [...plain([iterRange]), [loopStep, [iterVar, accuVar]]];
    }
    default:
      return [];
  }
}

/** What a cost is computed on: the input, and nothing of who asks or when. */
export function costFrame(input: JsonObject, tool: ToolFacts): Frame {
  return {
    ...{ facts: nobody, tool, input, answers: nobody.answers, now: { text: "", value: undefined } },
    amounts: noAmountsRead(),
    ...{ meter: { steps: evaluationStepsMax }, variables: [], locals: [] },
  };
}

const nobody: Frame["facts"] = Object.freeze({
  ...{ input: {}, context: {}, answers: {}, call: { tool: "", estimate: [], attempt: 1 } },
  ...{ agent: { id: "", labels: {}, owner: "" }, principal: { id: "", verified: false, labels: {} } },
  ...{ session: { id: "", labels: {}, depth: 0, purpose: "", ageSeconds: 0 }, caller: { id: "", name: "" } },
  ...{ now: "", scopes: [], mode: "enforce", supportedConstraints: [] },
});

/** The millionths that a computed cost is, or why it is none. */
export function costFrom(outcome: Outcome, unit: string): bigint | string {
  if (outcome instanceof Failure) return outcome.why;
  if (typeof outcome === "bigint") return inRange(outcome * 1_000_000n);
  if (!(outcome instanceof Quantity)) return `a cost is an amount or an int, and this is ${kindOf(outcome)}`;
  // An amount without a unit is one of the unit that the document names.
  if (outcome.unit !== unit && outcome.unit !== "") return `an amount of ${outcome.unit} where ${unit} is meant`;
  return inRange(outcome.micros);
}

function inRange(micros: bigint): bigint | string {
  if (micros < 0n) return "a negative amount";
  return micros > microsMax ? "an amount out of range" : micros;
}
