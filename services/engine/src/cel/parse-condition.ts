import { parse } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { ConditionProblem } from "./node.ts";

const depthMax = 200;

export interface ParsedCondition {
  readonly expr: Expr;
  /** Where a part begins, in UTF-16 units. */
  readonly offsetOf: (expr: Expr) => number;
}

/** Parses a condition by CEL's grammar. */
export function parseCondition(text: string): ParsedCondition | ConditionProblem {
  try {
    const { expr, sourceInfo } = parse(text);
    const positions = sourceInfo?.positions ?? {};
    if (depthOf(expr, 0) > depthMax) return tooDeep;
    return { expr, offsetOf: ({ id }) => afterSpace(text, positions[String(id)] ?? 0) };
  } catch (error) {
    return error instanceof RangeError ? tooDeep : syntaxProblem(error, text);
  }
}

/** The grammar counts the space before an operator to it. */
function afterSpace(text: string, offset: number): number {
  let at = offset;
  while (at < text.length && /\s/.test(text.charAt(at))) at++;
  return at;
}

const tooDeep: ConditionProblem = {
  offset: 0,
  message: "the condition is nested too deeply",
  expected: `at most ${depthMax} levels`,
};

interface GrammarError {
  readonly message?: string;
  readonly rawMessage?: string;
  readonly found?: string | null;
  readonly location?: { readonly start?: { readonly offset?: number } };
}

function syntaxProblem(error: unknown, text: string): ConditionProblem {
  const { found, rawMessage, message, location } = error as GrammarError;
  const offset = Math.min(location?.start?.offset ?? 0, text.length);
  const ipIn = /\bip\s{0,9}\.\s{0,9}in\s{0,9}\(/.exec(text);
  if (rawMessage === "reserved keyword" && ipIn) return { offset: ipIn.index, ...noSuchFunction };
  if (found === undefined)
    return { offset, message: `not a valid condition: ${rawMessage ?? message ?? "it does not parse"}` };
  const rest = text.slice(offset).trim();
  // The grammar steps back over an operator that nothing follows.
  if (found === null || rest === "" || /^[^\w\s"')\]}]+$/.test(rest)) {
    return { offset, message: "not a valid condition: unexpected end" };
  }
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
