import type { Expr, Expr_Select } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { isUnit, microsOf } from "../amount.ts";
import { present } from "./access.ts";
import type { Frame, Run } from "./frame.ts";
import { type Compiling, type Node, reject, type StaticType } from "./node.ts";
import { Failure, LiteralMap, type Outcome, Quantity } from "./value.ts";

const noEstimate = new Failure("missing", "call.estimate is missing");
const oddEstimate = new Failure("error", "call.estimate has an amount that is none");

/** What the call is expected to cost: amounts by unit. */
export function estimateFact({ facts, amounts }: Frame): Outcome {
  amounts.estimate ??= estimateOf(facts);
  return amounts.estimate;
}

function estimateOf(facts: Frame["facts"]): Outcome {
  const entries = new Map<string, Quantity>();
  for (const { unit, value } of facts.call.estimate ?? []) {
    const amount = quantity(value, unit);
    if (!amount || entries.has(unit)) return oddEstimate;
    entries.set(unit, amount);
  }
  return facts.call.estimate === undefined ? noEstimate : new LiteralMap(entries);
}

function quantity(value: string, unit: string): Quantity | undefined {
  const micros = typeof value === "string" && isUnit(unit) ? microsOf(value) : undefined;
  return micros === undefined ? undefined : new Quantity(micros, unit);
}

type BudgetField = "limit" | "spent" | "remaining" | "used";
const budgetFields: Readonly<Record<BudgetField, StaticType>> = {
  remaining: "amount",
  limit: "amount",
  spent: "amount",
  used: "double",
};
/** How a budget is read, for messages. */
export const budgetPaths =
  'budget.travel.remaining, or budget["team-travel"].remaining for a name with other characters';

/** `budget.travel.remaining`, or `budget["team-travel"].remaining`; undefined if the part reads no budget. */
export function compileBudget(
  expr: Expr,
  { operand, field, testOnly }: Expr_Select,
  compiling: Compiling,
): Node | undefined {
  if (isBudgets(operand, compiling)) {
    return reject(compiling, expr, `\`budget.${field}\` is not a value by itself`, { expected: budgetPaths });
  }
  const name = operand && budgetName(operand, compiling);
  if (name === undefined) return undefined;
  if (!isBudgetField(field)) {
    const names = budgetFieldNames;
    return reject(compiling, expr, `unknown field \`${field}\` of a budget`, {
      expected: names.join(", "),
      name: field,
      names,
    });
  }
  compiling.budgets.add(name);
  const path = /^[A-Za-z_]\w*$/.test(name) ? `budget.${name}.${field}` : `budget["${name}"].${field}`;
  const node: Node = { run: budgetFact(name, field, path), type: budgetFields[field], size: 2, path };
  return testOnly ? { run: present(node), type: "bool", size: 3 } : node;
}

function isBudgets(expr: Expr | undefined, { locals }: Compiling): boolean {
  return expr?.exprKind.case === "identExpr" && expr.exprKind.value.name === "budget" && !locals.has("budget");
}

function budgetName({ exprKind: kind }: Expr, compiling: Compiling): string | undefined {
  if (kind.case === "selectExpr") return isBudgets(kind.value.operand, compiling) ? kind.value.field : undefined;
  if (kind.case !== "callExpr" || kind.value.function !== "_[_]" || !isBudgets(kind.value.args[0], compiling))
    return undefined;
  const key = kind.value.args[1]?.exprKind;
  const constant = key?.case === "constExpr" ? key.value.constantKind : undefined;
  return constant?.case === "stringValue" ? constant.value : undefined;
}

export const budgetFieldNames = Object.keys(budgetFields) as BudgetField[];

function isBudgetField(field: string): field is BudgetField {
  return Object.hasOwn(budgetFields, field);
}

/** Reads one field of a budget. */
export function budgetFact(name: string, field: BudgetField, path = `budget.${name}.${field}`): Run {
  const missing = new Failure("missing", `${path} is missing`);
  const odd = new Failure("error", field === "used" ? `${path} is not a share` : `${path} is not an amount`);
  const read = (facts: Frame["facts"]): Outcome => {
    const budget = facts.budget && Object.hasOwn(facts.budget, name) ? facts.budget[name] : undefined;
    if (budget === undefined) return missing;
    if (field === "used") {
      if (budget.limit === undefined || budget.remaining === undefined) return missing;
      return usedShare(budget.limit, budget.remaining) ?? odd;
    }
    const value = budget[field];
    return value === undefined ? missing : (quantity(value, budget.unit) ?? odd);
  };
  return ({ facts, amounts }) => {
    amounts.budgets ??= new Map();
    const known = amounts.budgets.get(path);
    if (known !== undefined) return known;
    const value = read(facts);
    amounts.budgets.set(path, value);
    return value;
  };
}

/** The share of a budget's limit that is no longer free, from 0 to 1: the double next to it, so that 0.8 is 0.8. */
function usedShare(limit: string, remaining: string): number | undefined {
  const [most, left] = [microsOf(limit), microsOf(remaining)];
  if (most === undefined || left === undefined) return undefined;
  if (left >= most) return most === 0n ? 1 : 0;
  // A quotient of more bits than a double has, whose last bit stands for all that follow it: rounded once, and rightly.
  const [parts, rest] = [((most - left) << 128n) / most, ((most - left) << 128n) % most];
  return Number(rest === 0n ? parts : parts | 1n) / 2 ** 128;
}
