import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { ConditionProblem } from "./node.ts";
import { type Parsed, parseCel } from "./parser.ts";
import { SyntaxFault } from "./scan.ts";

const depthMax = 200;

/** Parses a condition by CEL's grammar. */
export function parseCondition(text: string): Parsed | ConditionProblem {
  try {
    const parsed = parseCel(text);
    return depthOf(parsed.expr, 0) > depthMax ? tooDeep : parsed;
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    if (error instanceof SyntaxFault) return syntaxProblem(error, text);
    throw error;
  }
}

const tooDeep: ConditionProblem = {
  offset: 0,
  message: "the condition is nested too deeply",
  expected: `at most ${depthMax} levels`,
};

function syntaxProblem({ offset, message, unexpected }: SyntaxFault, text: string): ConditionProblem {
  const ipIn = /\bip\s{0,9}\.\s{0,9}in\s{0,9}\(/.exec(text);
  if (message === "reserved keyword" && ipIn) return { offset: ipIn.index, ...noSuchFunction };
  if (!unexpected) return { offset, message: `not a valid condition: ${message}` };
  const rest = text.slice(offset).trim();
  if (rest === "") return { offset, message: "not a valid condition: unexpected end" };
  const token = rest.match(/^(\w+|.)/su)?.[0] ?? "";
  const expected = Object.hasOwn(habits, token) ? habits[token] : undefined;
  return { offset, message: `not a valid condition: unexpected \`${token}\``, expected };
}

/** `in` is an operator of CEL and cannot be the name of a function. */
const noSuchFunction = {
  message: "unknown function `ip.in`",
  expected: 'ip.within(address, "10.0.0.0/8")',
  nearest: "ip.within",
} as const;

/** What other languages write for an operator. */
const habits: Readonly<Record<string, string>> = { "=": "==", and: "&&", or: "||", not: "!", is: "==" };

function depthOf(expr: Expr | undefined, above: number): number {
  if (!expr || above > depthMax) return above;
  const below = (parts: readonly (Expr | undefined)[]) =>
    Math.max(above + 1, ...parts.map((part) => depthOf(part, above + 1)));
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case "selectExpr":
      return below([kind.value.operand]);
    case "callExpr":
      return below([kind.value.target, ...kind.value.args]);
    case "listExpr":
      return below(kind.value.elements);
    case "structExpr":
      return below(kind.value.entries.map((entry) => entry.value));
    case "comprehensionExpr":
      return below([kind.value.iterRange, kind.value.loopStep]);
    default:
      return above + 1;
  }
}
