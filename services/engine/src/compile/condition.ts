import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { compileExpr } from "../cel/expression.ts";
import type { Frame } from "../cel/frame.ts";
import { type ConditionProblem, type Node, type PathUse, typeWord, type Variables } from "../cel/node.ts";
import { parseCondition } from "../cel/parse-condition.ts";
import { costFailure, Failure, type Outcome, typeConfusion } from "../cel/value.ts";
import { below, type Report } from "../documents/origin.ts";
import { conditionCharsMax, isExpression } from "../documents/read-policy.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

/** An expression of a policy, ready to run. */
export interface Compiled {
  readonly run: (frame: Frame) => Outcome;
  /** Every path into the input or the context that it or a variable it uses reads. */
  readonly paths: readonly PathUse[];
}

/** Judges a condition on a frame: true, false, or why it is neither. */
export type Judge = (frame: Frame) => boolean | Failure;

/** Compiles the expressions of one policy, which share its variables. */
export interface PolicyExpressions {
  /** An expression of any type; undefined after its problems were reported. */
  value(text: string, pointer: string): Compiled | undefined;
  condition(text: string, pointer: string): (Omit<Compiled, "run"> & { readonly judge: Judge }) | undefined;
  readonly variableCount: number;
}

interface VariableState {
  readonly index: number;
  readonly text: string;
  node?: Node | undefined;
  paths: readonly PathUse[];
  state: "new" | "open" | "done";
}

const variablesPointer = "/spec/variables";

/** Given each part of a text once it is compiled; what it answers takes the part's place. */
export type Watch = (text: string, part: Expr, node: Node) => Node;

/** The expressions of a policy with these variables. Problems of the variables are reported at once. */
export function policyExpressions(
  variables: Readonly<Record<string, string>>,
  report: Report,
  watch?: Watch,
): PolicyExpressions {
  const states = new Map<string, VariableState>();
  for (const [name, text] of Object.entries(variables)) {
    states.set(name, { index: states.size, text, paths: [], state: "new" });
  }
  let locals = 0;
  const names: Variables = {
    names: () => [...states.keys()],
    newLocal: () => locals++,
    find: (name) => {
      const variable = states.get(name);
      if (!variable) return undefined;
      if (variable.state === "new") compileVariable(name, variable);
      return { index: variable.index, type: variable.node?.type ?? "dyn", node: variable.node };
    },
  };
  const compileVariable = (name: string, variable: VariableState) => {
    const pointer = below(variablesPointer, name);
    variable.state = "open";
    const compiled = compileText(variable.text, pointer);
    variable.state = "done";
    variable.node = compiled?.node;
    variable.paths = compiled?.paths ?? [];
  };
  const compileText = (text: string, pointer: string): { node: Node; paths: PathUse[] } | undefined => {
    const parsed = parseCondition(text);
    if ("message" in parsed) {
      reportCondition(parsed, text, pointer, report);
      return undefined;
    }
    const problems: ConditionProblem[] = [];
    const paths: PathUse[] = [];
    const usedVariables = new Set<string>();
    const node = compileExpr(parsed.expr, {
      variables: names,
      problems,
      paths,
      usedVariables,
      offsetOf: parsed.offsetOf,
      locals: new Map(),
      macros: 0,
      ...(watch && { watch: (part, compiled) => watch(text, part, compiled) }),
    });
    for (const used of usedVariables) {
      const variable = states.get(used);
      if (variable?.state === "open") {
        problems.push({ offset: 0, message: `the variable \`${used}\` is defined by itself`, expected: "no cycles" });
      }
      for (const path of variable?.paths ?? []) paths.push({ ...path, offset: 0 });
    }
    for (const problem of problems) reportCondition(problem, text, pointer, report);
    return problems.length > 0 ? undefined : { node, paths };
  };
  for (const name of states.keys()) names.find(name);
  return {
    variableCount: states.size,
    value: (text, pointer) => {
      const compiled = compileText(text, pointer);
      return compiled && { run: charged(compiled.node), paths: compiled.paths };
    },
    condition: (text, pointer) => {
      const compiled = compileText(text, pointer);
      if (!compiled) return undefined;
      const { node, paths } = compiled;
      if (node.type !== "dyn" && node.type !== "bool") {
        report(pointer, `a condition that is ${typeWord(node.type)}`, {
          ...{ code: "condition_invalid", expected: "true or false" },
        });
        return undefined;
      }
      const run = charged(node);
      return { judge: (frame) => asTruth(run(frame)), paths };
    },
  };
}

function charged({ run, size }: Node): (frame: Frame) => Outcome {
  return (frame) => {
    frame.meter.steps -= size;
    return frame.meter.steps < 0 ? costFailure : run(frame);
  };
}

function asTruth(outcome: Outcome): boolean | Failure {
  if (typeof outcome === "boolean" || outcome instanceof Failure) return outcome;
  return typeConfusion("a condition", outcome);
}

function reportCondition(problem: ConditionProblem, text: string, pointer: string, report: Report): void {
  const { message, expected, nearest, offset } = problem;
  report(pointer, message, { code: "condition_invalid", expected, nearest, within: { text, offset } });
}

/** Reports what is wrong in the expressions of a policy that may have other problems: whatever is text is compiled. */
export function checkExpressions(policy: JsonObject, report: Report): void {
  const spec = isJsonObject(policy.spec) ? policy.spec : {};
  const variables = Object.entries(isJsonObject(spec.variables) ? spec.variables : {}).filter(isText);
  const expressions = policyExpressions(Object.fromEntries(variables), report);
  for (const [index, rule] of (Array.isArray(spec.rules) ? spec.rules : []).entries()) {
    if (!isJsonObject(rule)) continue;
    const pointer = below("/spec/rules", index);
    for (const key of ["when", "unless"]) checkConditions(rule[key] ?? null, below(pointer, key), expressions);
    for (const [path, value] of isJsonObject(rule.set) ? Object.entries(rule.set) : []) {
      if (isExpression(value) && value.expr.length <= conditionCharsMax) {
        expressions.value(value.expr, below(below(below(pointer, "set"), path), "expr"));
      }
    }
  }
}

function checkConditions(value: JsonValue, pointer: string, expressions: PolicyExpressions): void {
  if (typeof value === "string" && value !== "" && value.length <= conditionCharsMax)
    expressions.condition(value, pointer);
  if (!Array.isArray(value)) return;
  for (const [index, item] of value.entries()) {
    if (typeof item === "string") checkConditions(item, below(pointer, index), expressions);
  }
}

function isText(entry: [string, JsonValue]): entry is [string, string] {
  return typeof entry[1] === "string" && entry[1] !== "" && entry[1].length <= conditionCharsMax;
}
