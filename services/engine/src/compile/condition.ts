import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { compileExpr } from "../cel/expression.ts";
import { evaluationStepsMax, type Frame } from "../cel/frame.ts";
import {
  type AnswerUse,
  type CallTypes,
  type ConditionProblem,
  type Node,
  type StaticType,
  typeWords,
  type Variables,
} from "../cel/node.ts";
import { parseCondition } from "../cel/parse-condition.ts";
import { typesOf, type Way } from "../cel/place.ts";
import { costFailure, Failure, type Outcome, typeConfusion } from "../cel/value.ts";
import { below, type Report } from "../documents/origin.ts";
import { conditionCharsMax, isExpression, variablesMax } from "../documents/read-policy.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { stepsMost, type Work, workOf } from "../typing/bound.ts";
import { type Shape, unsure } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import { meaningOf } from "./shared.ts";
import { finish, type Steps } from "./steps.ts";

/** An expression of a policy, ready to run. */
export interface Compiled {
  readonly run: (frame: Frame) => Outcome;
  readonly reads: Reads;
  /** The most steps that it may take; undefined if no schema bounds them. */
  readonly most: number | undefined;
}

/** What an expression reads, itself or by a variable that it uses. */
export interface Reads {
  readonly answers: readonly AnswerUse[];
  /** What it asked the schemas of the rule's tools, and what they said. */
  readonly places: readonly { readonly steps: Way; readonly shape: Shape | undefined }[];
}

/** Judges a condition on a frame: true, false, or why it is neither. */
export type Judge = (frame: Frame) => boolean | Failure;

interface CompiledCondition extends Omit<Compiled, "run"> {
  readonly judge: Judge;
  /** Equal for conditions that mean the same. */
  readonly key: string;
}

/** Compiles the expressions of one policy, which share its variables. */
export interface PolicyExpressions {
  /** An expression of any type; undefined after its problems were reported. */
  value(text: string, pointer: string): (Compiled & { readonly types: readonly StaticType[] }) | undefined;
  condition(text: string, pointer: string): CompiledCondition | undefined;
  readonly variableCount: number;
  /** The same variables in rules that can match these tools. */
  among(types: ToolTypes): PolicyExpressions;
}

interface VariableState {
  readonly index: number;
  readonly text: string;
  node?: Node | undefined;
  key: string;
  reads: Reads;
  work?: Work | undefined;
  most?: number | undefined;
  state: "new" | "open" | "done";
}

interface CompiledText {
  /** Undefined after problems were reported. */
  readonly node: Node | undefined;
  /** Equal for texts that mean the same. */
  readonly key: string;
  readonly reads: Reads;
  /** The most steps that it may take; undefined if no schema bounds them. */
  readonly most?: number | undefined;
  readonly work?: Work | undefined;
}

/** Compiles texts and the variables that they use, all for one set of tools. */
type CompileText = (text: string, pointer: string) => CompiledText;

/** Where problems of expressions go. */
type Note = (problem: ConditionProblem, text: string, pointer: string) => void;

/** What the texts of one policy have in common, whatever they are compiled for. */
interface PolicyTexts {
  readonly variables: Readonly<Record<string, string>>;
  readonly note: Note;
  readonly watch: Watch | undefined;
  readonly parse: typeof parseCondition;
}

/** Parses each variable once, however many tools it is compiled for, and any text once if it is asked for at once again. */
function parsingOnce(variables: readonly string[]): typeof parseCondition {
  const kept = new Map<string, ReturnType<typeof parseCondition> | undefined>(
    variables.map((text) => [text, undefined]),
  );
  let last: { readonly text: string; readonly parsed: ReturnType<typeof parseCondition> } | undefined;
  return (text) => {
    if (last?.text === text) return last.parsed;
    const parsed = kept.get(text) ?? parseCondition(text);
    if (kept.has(text)) kept.set(text, parsed);
    last = { text, parsed };
    return parsed;
  };
}

/** A pattern that repeats its parts, or has the letters of the world, is a program many times as long as it is. */
const widePattern = /matches[\s\S]*(?:\{[0-9]{2}|\\[pP])/;
const widePatternCost = 2000;

/** What compiling a text costs, by its length: most of it is parsing. */
export function textCost(text: string): number {
  return 2 + Math.ceil(text.length / 5) + (widePattern.test(text) ? widePatternCost : 0);
}

const variablesPointer = "/spec/variables";
const readsNothing: Reads = { answers: [], places: [] };

/** Given each part of a text once it is compiled; what it answers takes the part's place. */
export type Watch = (text: string, part: Expr, node: Node) => Node;

/** The expressions of a policy with these variables. Problems of the variables are reported at once. */
export function policyExpressions(
  variables: Readonly<Record<string, string>>,
  report: Report,
  watch?: Watch,
): PolicyExpressions {
  return finish(policyExpressionsInSteps(variables, report, watch));
}

/** The same, a variable at a time. */
export function* policyExpressionsInSteps(
  variables: Readonly<Record<string, string>>,
  report: Report,
  watch?: Watch,
): Steps<PolicyExpressions> {
  const parse = parsingOnce(Object.values(variables));
  const note: Note = ({ offset, message, expected, nearest, severity, code = "condition_invalid" }, text, pointer) => {
    report(pointer, message, { code, expected, nearest, within: { text, offset }, ...(severity && { severity }) });
  };
  const untyped = textsOf({ variables, note, watch, parse }, undefined);
  for (const [name, text] of Object.entries(variables)) {
    untyped.variable(name);
    yield textCost(text);
  }
  const scopes = new Map<ToolTypes, PolicyExpressions>();
  const expressions = (compile: CompileText): PolicyExpressions => ({
    variableCount: Object.keys(variables).length,
    value: (text, pointer) => {
      const { node, reads, most } = compile(text, pointer);
      return node && { run: charged(node), reads, most, types: typesOf(node) };
    },
    condition: (text, pointer) => {
      const { node, reads, most, key } = compile(text, pointer);
      if (!node) return undefined;
      if (!typesOf(node).some((type) => type === "dyn" || type === "bool")) {
        note(
          { offset: 0, message: `a condition that is ${typeWords(typesOf(node))}`, expected: "true or false" },
          text,
          pointer,
        );
        return undefined;
      }
      return { judge: judging(node), reads, most, key };
    },
    among: (types) => {
      let scope = scopes.get(types);
      if (!scope) {
        const policy = { variables, note, watch, parse };
        const compile = types.named ? textsOf(policy, types).text : guarded(policy, types);
        scope = expressions(compile);
        scopes.set(types, scope);
      }
      return scope;
    },
  });
  return expressions(untyped.text);
}

/**
 * Texts of rules that may come to match other tools than are registered. What only the schemas of the registered ones
 * contradict is a warning, unless it looks like a slip of the pen, and the text then runs as its call's tool has it.
 */
function guarded(policy: PolicyTexts, types: ToolTypes): CompileText {
  const loose = textsOf(policy, { input: unsure, context: unsure, owner: "" });
  const softened: Note = (problem, text, pointer) =>
    policy.note(problem.nearest === undefined ? { ...problem, severity: "warning" } : problem, text, pointer);
  const close = textsOf({ ...policy, note: softened }, types);
  return (text, pointer) => {
    const { node, reads, key } = loose.text(text, pointer);
    if (!node) return { node, reads, key };
    const typed = close.text(text, pointer);
    return { ...typed, node: typed.node ?? node };
  };
}

/** Compiles for tools of these types. */
function textsOf(
  { variables, note, watch, parse }: PolicyTexts,
  types: CallTypes | undefined,
): { readonly text: CompileText; readonly variable: Variables["find"] } {
  const states = new Map<string, VariableState>();
  for (const [name, text] of Object.entries(variables)) {
    states.set(name, { index: states.size, text, key: "", reads: readsNothing, state: "new" });
  }
  let locals = 0;
  const names: Variables = {
    names: () => [...states.keys()],
    newLocal: () => locals++,
    find: (name) => {
      const variable = states.get(name);
      if (!variable) return undefined;
      if (variable.state === "new") {
        variable.state = "open";
        const compiled = compileText(variable.text, below(variablesPointer, name));
        Object.assign(variable, { state: "done", ...compiled });
      }
      const { index, node, key } = variable;
      return { index, type: node?.type ?? "dyn", node, key: `= ${key}` };
    },
  };
  const compileText: CompileText = (text, pointer) => {
    const parsed = parse(text);
    if ("message" in parsed) {
      note(parsed, text, pointer);
      return { node: undefined, key: "", reads: readsNothing };
    }
    const problems: ConditionProblem[] = [];
    const own = { answers: [] as AnswerUse[], places: new Map<string, Reads["places"][number]>() };
    const usedVariables = new Set<string>();
    const parts = new Map<bigint, Node>();
    const node = compileExpr(parsed.expr, {
      variables: names,
      problems,
      answers: own.answers,
      usedVariables,
      types,
      consult: (steps, shape) => own.places.set(JSON.stringify(steps), { steps, shape }),
      offsetOf: parsed.offsetOf,
      locals: new Map(),
      macros: 0,
      watch: (part, compiled) => {
        const watched = watch ? watch(text, part, compiled) : compiled;
        parts.set(part.id, watched);
        return watched;
      },
    });
    for (const name of usedVariables) {
      if (states.get(name)?.state !== "open") continue;
      problems.push({ offset: 0, message: `the variable \`${name}\` is defined by itself`, expected: "no cycles" });
    }
    const used = [...usedVariables].map((name) => states.get(name));
    const keys = new Map([...usedVariables].map((name) => [name, states.get(name)?.key ?? ""]));
    const key = meaningOf(text, { places: [...own.places.values()], variables: keys });
    const reads = withVariables(own, used);
    const workOfVariable = (name: string) => states.get(name)?.work;
    const work =
      types && problems.length === 0
        ? workOf(parsed.expr, { node: ({ id }) => parts.get(id), variable: workOfVariable })
        : undefined;
    const most = work && stepsMost(work, workOfVariable);
    // Of a variable that is too costly by itself it is said there.
    if (isTooMuch(most) && !used.some((variable) => isTooMuch(variable?.most))) problems.push(tooCostly(most));
    for (const problem of problems) note(problem, text, pointer);
    const broken = used.some((variable) => variable?.node === undefined);
    const whole = !broken && problems.every(({ severity }) => severity !== undefined);
    return { node: whole ? node : undefined, key, reads, most, work };
  };
  return { text: compileText, variable: names.find };
}

/** What a text reads, itself and by the variables that it uses: each answer and each place once, whoever asks for it. */
function withVariables(
  own: { readonly answers: readonly AnswerUse[]; readonly places: ReadonlyMap<string, Reads["places"][number]> },
  variables: readonly (VariableState | undefined)[],
): Reads {
  const answers = [...own.answers];
  const ids = new Set(answers.map(({ id }) => id));
  const places = new Map(own.places);
  for (const { reads } of variables.filter((variable) => variable !== undefined)) {
    for (const { id } of reads.answers) if (ids.size < ids.add(id).size) answers.push({ id, offset: 0 });
    for (const place of reads.places) places.set(JSON.stringify(place.steps), place);
  }
  return { answers, places: [...places.values()] };
}

function isTooMuch(most: number | undefined): most is number {
  return most !== undefined && most > evaluationStepsMax;
}

function tooCostly(most: number): ConditionProblem {
  return {
    offset: 0,
    code: "cost_exceeded",
    message: `up to ${Math.ceil(most)} steps on an input that the schema permits, more than the ${evaluationStepsMax} of an evaluation`,
    expected: "a smaller maxItems or maxLength in the schema, or a condition that goes through less",
  };
}

function charged({ run, size }: Node): (frame: Frame) => Outcome {
  return (frame) => {
    frame.meter.steps -= size;
    return frame.meter.steps < 0 ? costFailure : run(frame);
  };
}

function judging({ run, size }: Node): Judge {
  return (frame) => {
    frame.meter.steps -= size;
    if (frame.meter.steps < 0) return costFailure;
    const outcome = run(frame);
    return typeof outcome === "boolean" || outcome instanceof Failure ? outcome : typeConfusion("a condition", outcome);
  };
}

/** Reports what is wrong in the expressions of a policy that may have other problems: whatever is text is compiled. */
export function checkExpressions(policy: JsonObject, report: Report): void {
  const spec = isJsonObject(policy.spec) ? policy.spec : {};
  const variables = Object.entries(isJsonObject(spec.variables) ? spec.variables : {}).filter(isText);
  // More than there may be is refused already, and each is compiled from within the one that names it.
  if (variables.length > variablesMax) return;
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
