import { unparse } from "@bufbuild/cel";
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { Failure } from "../cel/value.ts";
import {
  type ExpressionTree,
  expressionTree,
  functionOf,
  isConstant,
  operandsOf,
  pathOf,
  withTexts,
} from "./expression-tree.ts";
import type { Hidden } from "./hidden.ts";
import type { Recorded, Recording } from "./recording.ts";
import { redactedText, shortened, shownValue } from "./shown-value.ts";

/** One part of a condition and what it came out as. */
export interface ExplainedPart {
  /** 0 is the whole condition; what a part is computed from stands below it, one deeper. */
  readonly depth: number;
  readonly text: string;
  /** The same with the values of its operands in their place: `812 > 500`. */
  readonly operands?: string;
  readonly outcome: "value" | "unknown" | "redacted" | "notNeeded";
  /** As a condition would write it, cut where it is long; of the outcome `value` alone. */
  readonly value?: string;
  /** Why it is unknown, or what decided among the elements of a list. */
  readonly why?: string;
}

const partsMax = 60;

interface Walk {
  readonly text: string;
  readonly tree: ExpressionTree;
  readonly recording: Recording;
  readonly hidden: Hidden;
  readonly variables: Readonly<Record<string, string>>;
  readonly parts: ExplainedPart[];
  /** Variables whose parts were told already. */
  readonly told: Set<string>;
  /** Names that macros bind, and those of them that are bound to what is redacted. */
  readonly locals: ReadonlySet<string>;
  readonly hiddenLocals: ReadonlySet<string>;
}

/** The parts of a text that was run under a recording, each before what it is computed from. At most 60. */
export function explainedParts(
  text: string,
  recording: Recording,
  hidden: Hidden,
  variables: Readonly<Record<string, string>>,
): readonly ExplainedPart[] {
  const tree = expressionTree(text);
  if (!tree) return [];
  const none = new Set<string>();
  const walk: Walk = {
    ...{ text, tree, recording, hidden, variables },
    ...{ parts: [], told: new Set(), locals: none, hiddenLocals: none },
  };
  explainPart(tree.root, 0, 0, walk);
  return walk.parts;
}

/** Explains a part of the run of another, which began at `since`. */
function explainPart(part: Expr, depth: number, since: number, walk: Walk): void {
  const { parts, tree, text } = walk;
  if (parts.length >= partsMax) return;
  // A whole text stands as its author wrote it.
  const written = part === tree.root ? text.replace(/\s+/g, " ").trim() : tree.textOf(part);
  const told = { depth, text: shortened(written) };
  if (isConstant(part)) {
    parts.push({ ...told, outcome: "value", value: told.text });
    return;
  }
  const recorded = walk.recording.find(text, part);
  if (!recorded || recorded.began < since) {
    parts.push({ ...told, outcome: "notNeeded" });
    return;
  }
  const operands = operandsText(part, recorded, walk);
  parts.push({ ...told, ...(operands !== undefined && { operands }), ...outcomeOf(part, recorded, walk) });
  explainBelow(part, depth + 1, recorded, walk);
}

function outcomeOf(part: Expr, { outcome }: Recorded, walk: Walk): Pick<ExplainedPart, "outcome" | "value" | "why"> {
  const macro = part.exprKind.case === "comprehensionExpr" ? part.exprKind.value : undefined;
  if (outcome instanceof Failure) return { outcome: "unknown", why: outcome.why };
  if (isHidden(part, walk) && !(typeof outcome === "boolean" && pathOf(part) === undefined))
    return { outcome: "redacted" };
  const why = macro && typeof outcome === "boolean" ? elementsText(part, outcome, walk) : undefined;
  return { outcome: "value", value: shownValue(outcome), ...(why !== undefined && { why }) };
}

function isHidden(part: Expr, { hidden, tree, hiddenLocals }: Walk): boolean {
  return hidden.part(tree, part, hiddenLocals);
}

/** The part with values where its operands stand; undefined where that says nothing. */
function operandsText(part: Expr, { began }: Recorded, walk: Walk): string | undefined {
  const name = functionOf(part);
  if (name === undefined || logical.has(name) || pathOf(part)) return undefined;
  const texts = new Map<Expr, string>();
  for (const operand of operandsOf(part, walk.locals)) {
    if (isConstant(operand)) continue;
    const recorded = walk.recording.find(walk.text, operand);
    if (!recorded || recorded.began < began) continue;
    const { outcome } = recorded;
    if (outcome instanceof Failure) texts.set(operand, outcome.reason === "missing" ? "missing" : "unknown");
    else texts.set(operand, isHidden(operand, walk) ? redactedText : shownValue(outcome));
  }
  return texts.size === 0 ? undefined : shortened(unparse(withTexts(part, texts)));
}

const logical: ReadonlySet<string> = new Set(["_&&_", "_||_", "!_", "_?_:_"]);

function explainBelow(part: Expr, depth: number, recorded: Recorded, walk: Walk): void {
  const name = functionOf(part);
  const variable = variableOf(part);
  if (variable !== undefined) {
    explainVariable(variable, depth, walk);
    return;
  }
  if (part.exprKind.case === "comprehensionExpr") {
    explainElements(part, depth, recorded, walk);
    return;
  }
  for (const operand of name === "_&&_" || name === "_||_" ? chain(part, name) : operandsOf(part, walk.locals)) {
    const plain = isConstant(operand) || (pathOf(operand) !== undefined && variableOf(operand) === undefined);
    if (plain && !(name !== undefined && logical.has(name))) continue;
    if (isConstant(operand) && name !== "_?_:_") continue;
    explainPart(operand, depth, recorded.began, walk);
  }
}

/** The sides of a chain of one operator, from left to right. */
function chain(part: Expr, name: string): readonly Expr[] {
  if (functionOf(part) !== name) return [part];
  return operandsOf(part, new Set()).flatMap((side) => chain(side, name));
}

function variableOf(part: Expr): string | undefined {
  const path = pathOf(part);
  return path?.root === "vars" && path.keys.length === 1 ? path.keys[0] : undefined;
}

function explainVariable(name: string, depth: number, walk: Walk): void {
  const text = Object.hasOwn(walk.variables, name) ? walk.variables[name] : undefined;
  if (text === undefined || walk.told.has(name)) return;
  walk.told.add(name);
  const tree = expressionTree(text);
  if (!tree || isConstant(tree.root)) return;
  const none = new Set<string>();
  explainPart(tree.root, depth, 0, { ...walk, text, tree, locals: none, hiddenLocals: none });
}

interface Macro {
  readonly name: string;
  readonly range: Expr;
  readonly local: string;
  readonly body: Expr | undefined;
}

function macroOf(part: Expr, { tree }: Walk): Macro | undefined {
  const call = tree.written(part).exprKind;
  const { iterRange: range, iterVar: local } = part.exprKind.case === "comprehensionExpr" ? part.exprKind.value : {};
  if (call.case !== "callExpr" || !range || local === undefined) return undefined;
  return { name: call.value.function, range, local, body: call.value.args[1] };
}

/** Whether one element decided what a macro over all of them answers. */
function oneDecided(name: string, outcome: unknown): boolean {
  return (name === "exists" && outcome === true) || (name === "all" && outcome === false);
}

function elementsText(part: Expr, outcome: boolean, walk: Walk): string | undefined {
  const macro = macroOf(part, walk);
  const recorded = macro?.body && walk.recording.find(walk.text, macro.body);
  if (!macro || !recorded) return macro && "there are no elements";
  if (oneDecided(macro.name, outcome)) return undefined;
  return macro.name === "exists"
    ? "no element makes it true"
    : macro.name === "all"
      ? "every element makes it true"
      : undefined;
}

/** What a macro runs over, and for `all` and `exists` the element that decided. */
function explainElements(part: Expr, depth: number, recorded: Recorded, walk: Walk): void {
  const macro = macroOf(part, walk);
  if (!macro) return;
  const { range, local, body, name } = macro;
  explainPart(range, depth, recorded.began, walk);
  if (!body || !oneDecided(name, recorded.outcome)) return;
  const hiddenLocals = new Set([...walk.hiddenLocals].filter((other) => other !== local));
  if (isHidden(range, walk)) hiddenLocals.add(local);
  explainPart(body, depth, recorded.began, { ...walk, locals: new Set([...walk.locals, local]), hiddenLocals });
}
