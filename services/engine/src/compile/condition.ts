import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { compileExpr } from "../cel/expression.ts";
import { evaluationStepsMax, type Frame } from "../cel/frame.ts";
import {
  type AnswerUse,
  type CallTypes,
  type Compiling,
  type ConditionProblem,
  type Node,
  type StaticType,
  typeWords,
  type Variables,
} from "../cel/node.ts";
import { parseCondition } from "../cel/parse-condition.ts";
import { typesOf, type Way } from "../cel/place.ts";
import { compileRegex, compileRegexInSteps, readRegexInSteps } from "../cel/regex.ts";
import { costFailure, Failure, type Outcome, typeConfusion } from "../cel/value.ts";
import { below, type Report } from "../documents/origin.ts";
import { stepsMost, type Work, workOf } from "../typing/bound.ts";
import { type Shape, unsure } from "../typing/shape.ts";
import type { ToolTypes } from "../typing/tool-types.ts";
import { askShapes, needsOf } from "./needs.ts";
import { meaningOf } from "./shared.ts";
import { finish, type Steps } from "./steps.ts";
import { wideMap } from "./wide-map.ts";

/** An expression of a policy, ready to run. */
export interface Compiled {
  readonly run: (frame: Frame) => Outcome;
  readonly reads: Reads;
  /** The most steps that it may take; undefined if no schema bounds them. */
  readonly most: number | undefined;
  /** The same without its variables, which are computed once a call. */
  readonly own: number | undefined;
}

/** What an expression reads itself, and the variables that it uses, which read more. */
export interface Reads {
  readonly answers: readonly AnswerUse[];
  /** What it asked the schemas of the rule's tools, and what they said. */
  readonly places: readonly { readonly steps: Way; readonly shape: Shape | undefined }[];
  /** Names of budgets. */
  readonly budgets: readonly string[];
  /** Shared by all expressions that use them. */
  readonly variables: readonly Reads[];
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
  /** Does, a part at a time, what compiling a text would else do in one piece: its variables, patterns and schemas. */
  prepare(text: string): Steps<void>;
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
  readonly regexes: Regexes;
}

/** The patterns of the text that is being compiled. */
interface Regexes {
  readonly prepare: (pattern: string) => Steps<void>;
  readonly of: Compiling["regex"];
  readonly forget: () => void;
}

/** `run` is false where nothing will be evaluated: then patterns are read, and not made ready for searching. */
function regexesOf(run: boolean): Regexes {
  const ready = new Map<string, ReturnType<typeof compileRegex>>();
  return {
    *prepare(pattern) {
      if (!ready.has(pattern))
        ready.set(pattern, yield* run ? compileRegexInSteps(pattern) : readRegexInSteps(pattern));
    },
    of: (pattern) => ready.get(pattern) ?? (run ? compileRegex(pattern) : finish(readRegexInSteps(pattern))),
    forget: () => ready.clear(),
  };
}

/** Parses each variable once, however many tools it is compiled for, and any text once if it is asked for at once again. */
function parsingOnce(variables: readonly string[]): typeof parseCondition {
  const kept = wideMap<{ parsed: ReturnType<typeof parseCondition> | undefined }>();
  for (const text of variables) kept.set(text, { parsed: undefined });
  let last: { readonly text: string; readonly parsed: ReturnType<typeof parseCondition> } | undefined;
  return (text) => {
    if (last?.text === text) return last.parsed;
    const variable = kept.get(text);
    const parsed = variable?.parsed ?? parseCondition(text);
    if (variable) variable.parsed = parsed;
    last = { text, parsed };
    return parsed;
  };
}

/** What compiling a text costs, by its length. */
export function textCost(text: string): number {
  return 2 + Math.ceil(text.length / 20);
}

const variablesPointer = "/spec/variables";
const readsNothing: Reads = { answers: [], places: [], budgets: [], variables: [] };

/** Given each part of a text once it is compiled; what it answers takes the part's place. */
export type Watch = (text: string, part: Expr, node: Node) => Node;

/** What there is beside the variables of a policy's expressions. */
interface ExpressionOptions {
  readonly watch?: Watch;
  /** False where they are only checked. */
  readonly run?: boolean;
}

/** The expressions of a policy with these variables. Problems of the variables are reported at once. */
export function policyExpressions(
  variables: Readonly<Record<string, string>>,
  report: Report,
  options: ExpressionOptions = {},
): PolicyExpressions {
  return finish(policyExpressionsInSteps(variables, report, options));
}

/** The same, a variable at a time. */
export function* policyExpressionsInSteps(
  variables: Readonly<Record<string, string>>,
  report: Report,
  { watch, run = true }: ExpressionOptions = {},
): Steps<PolicyExpressions> {
  const note: Note = ({ offset, message, expected, nearest, severity, code = "condition_invalid" }, text, pointer) => {
    report(pointer, message, { code, expected, nearest, within: { text, offset }, ...(severity && { severity }) });
  };
  const policy = { variables, note, watch, parse: parsingOnce(Object.values(variables)), regexes: regexesOf(run) };
  const untyped = textsOf(policy, undefined);
  for (const [name, text] of Object.entries(variables)) {
    yield* untyped.prepare(text);
    untyped.variable(name);
    yield textCost(text);
  }
  return expressionsOf(policy, untyped);
}

function expressionsOf(policy: PolicyTexts, texts: Texts): PolicyExpressions {
  const { variables, note } = policy;
  const scopes = new Map<ToolTypes, PolicyExpressions>();
  return {
    prepare: texts.prepare,
    variableCount: Object.keys(variables).length,
    value: (text, pointer) => {
      const { node, reads, most, work } = texts.text(text, pointer);
      return node && { run: charged(node), reads, most, own: work?.own, types: typesOf(node) };
    },
    condition: (text, pointer) => {
      const { node, reads, most, key, work } = texts.text(text, pointer);
      if (!node) return undefined;
      if (!typesOf(node).some((type) => type === "dyn" || type === "bool")) {
        const message = `a condition that is ${typeWords(typesOf(node))}`;
        note({ offset: 0, message, expected: "true or false" }, text, pointer);
        return undefined;
      }
      return { judge: judging(node), reads, most, key, own: work?.own };
    },
    among: (types) => {
      const known = scopes.get(types);
      if (known) return known;
      const made = expressionsOf(policy, types.named ? textsOf(policy, types) : guarded(policy, types));
      scopes.set(types, made);
      return made;
    },
  };
}

/**
 * Texts of rules that may come to match other tools than are registered. What only the schemas of the registered ones
 * contradict is a warning, unless it looks like a slip of the pen, and the text then runs as its call's tool has it.
 */
function guarded(policy: PolicyTexts, types: ToolTypes): Texts {
  const loose = textsOf(policy, { input: unsure, context: unsure, owner: "" });
  const softened: Note = (problem, text, pointer) =>
    policy.note(problem.nearest === undefined ? { ...problem, severity: "warning" } : problem, text, pointer);
  const close = textsOf({ ...policy, note: softened }, types);
  return {
    *prepare(text) {
      yield* loose.prepare(text);
      yield* close.prepare(text);
    },
    text: (text, pointer) => {
      const { node, reads, key } = loose.text(text, pointer);
      if (!node) return { node, reads, key };
      const typed = close.text(text, pointer);
      return { ...typed, node: typed.node ?? node };
    },
    variable: close.variable,
  };
}

/** Texts that are compiled for one set of tools, and the variables that they use. */
interface Texts {
  readonly prepare: (text: string) => Steps<void>;
  readonly text: CompileText;
  readonly variable: Variables["find"];
}

/** Compiles for tools of these types. */
function textsOf(policy: PolicyTexts, types: CallTypes | undefined): Texts {
  const { variables } = policy;
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
  const compileText = textCompiler(policy, types, { names, states });
  const asked = new Set<string>();
  const prepare = function* (text: string): Steps<void> {
    const parsed = policy.parse(text);
    yield textCost(text);
    if ("message" in parsed) return;
    const needs = needsOf(parsed.expr);
    for (const name of needs.variables) {
      const variable = states.get(name);
      // What goes round in circles is found, and told, where it is compiled.
      if (variable?.state !== "new" || asked.has(name)) continue;
      asked.add(name);
      yield* prepare(variable.text);
      names.find(name);
      yield textCost(variable.text);
    }
    policy.regexes.forget();
    for (const pattern of needs.patterns) yield* policy.regexes.prepare(pattern);
    if (types) yield* askShapes(parsed.expr, types, (name) => states.get(name)?.node?.place?.shape);
    // The variables' texts were parsed in between.
    policy.parse(text);
  };
  return { prepare, text: compileText, variable: names.find };
}

interface CompilingTexts {
  readonly names: Variables;
  readonly states: ReadonlyMap<string, VariableState>;
}

function textCompiler(
  { note, watch, parse, regexes }: PolicyTexts,
  types: CallTypes | undefined,
  { names, states }: CompilingTexts,
): CompileText {
  return (text, pointer) => {
    const parsed = parse(text);
    if ("message" in parsed) {
      note(parsed, text, pointer);
      return { node: undefined, key: "", reads: readsNothing };
    }
    const problems: ConditionProblem[] = [];
    const own = { answers: [] as AnswerUse[], places: new Map<string, Reads["places"][number]>() };
    const usedVariables = new Set<string>();
    const budgets = new Set<string>();
    const parts = new Map<bigint, Node>();
    const node = compileExpr(parsed.expr, {
      variables: names,
      problems,
      answers: own.answers,
      usedVariables,
      budgets,
      types,
      consult: (steps, shape) => own.places.set(JSON.stringify(steps), { steps, shape }),
      regex: regexes.of,
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
    const places = [...own.places.values()];
    const key = meaningOf(text, { places, variables: keys });
    const variables = used.flatMap((variable) => variable?.reads ?? []);
    const reads: Reads = { answers: own.answers, places, budgets: [...budgets], variables };
    const workOfVariable = (name: string) => states.get(name)?.work;
    const work =
      types && problems.every(({ severity }) => severity !== undefined)
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
