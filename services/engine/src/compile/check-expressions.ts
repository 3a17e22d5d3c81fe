import { below, type Report } from "../documents/origin.ts";
import { conditionCharsMax, isExpression, variablesMax } from "../documents/read-policy.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { type PolicyExpressions, policyExpressionsInSteps, textCost } from "./condition.ts";
import type { Steps } from "./steps.ts";

/** Reports what is wrong in the expressions of a policy that may have other problems: whatever is text is compiled. */
export function* checkExpressions(policy: JsonObject, report: Report): Steps<void> {
  const spec = isJsonObject(policy.spec) ? policy.spec : {};
  const variables = Object.entries(isJsonObject(spec.variables) ? spec.variables : {}).filter(isText);
  // More than there may be is refused already, and each is compiled from within the one that names it.
  if (variables.length > variablesMax) return;
  const expressions = yield* policyExpressionsInSteps(Object.fromEntries(variables), report, { run: false });
  for (const [index, rule] of (Array.isArray(spec.rules) ? spec.rules : []).entries()) {
    if (!isJsonObject(rule)) continue;
    const pointer = below("/spec/rules", index);
    for (const key of ["when", "unless"]) yield* checkConditions(rule[key] ?? null, below(pointer, key), expressions);
    for (const [path, value] of isJsonObject(rule.set) ? Object.entries(rule.set) : []) {
      if (isExpression(value) && value.expr.length <= conditionCharsMax) {
        yield* expressions.prepare(value.expr);
        expressions.value(value.expr, below(below(below(pointer, "set"), path), "expr"));
        yield textCost(value.expr);
      }
    }
  }
}

function* checkConditions(value: JsonValue, pointer: string, expressions: PolicyExpressions): Steps<void> {
  if (typeof value === "string" && value !== "" && value.length <= conditionCharsMax) {
    yield* expressions.prepare(value);
    expressions.condition(value, pointer);
    yield textCost(value);
  }
  if (!Array.isArray(value)) return;
  for (const [index, item] of value.entries()) {
    if (typeof item === "string") yield* checkConditions(item, below(pointer, index), expressions);
  }
}

function isText(entry: [string, JsonValue]): entry is [string, string] {
  return typeof entry[1] === "string" && entry[1] !== "" && entry[1].length <= conditionCharsMax;
}
