import { type Bound, boundsOf } from "./bounds.ts";
import type { Condition } from "./condition.ts";
import { allowing, compiledFor, distinct, type Engine, factsOf } from "./facts.ts";
import { sampleOf } from "./sample.ts";
import type { SeenCall } from "./seen-call.ts";

/** What is drafted for the calls of one tool. */
export interface DraftRule {
  readonly tool: string;
  /** How many calls it was drafted from. */
  readonly calls: number;
  /** They hold for each of these calls. */
  readonly conditions: readonly Condition[];
  /** Arguments of which nothing is asked. */
  readonly unbounded: readonly string[];
  /** The calls, each input once. */
  readonly examples: readonly SeenCall[];
}

/** A rule holds at most 32 conditions; one of them says which agent. */
const CONDITIONS_MAX = 31;
const CONDITION_CHARS_MAX = 4096;

/** A bound, and which of its candidates is asked: past the last, none is. */
interface Trial {
  readonly bound: Bound;
  readonly at: number;
}

/** What is shorter never comes near the limit on what an evaluation may cost. */
const LONG_INPUT_CHARS = 2000;

const asked = ({ bound, at }: Trial) => bound.candidates[at];
const looser = ({ bound, at }: Trial): Trial => ({ bound, at: at + 1 });

/** Which of some conditions hold for every call; undefined when one of them is no condition at all. */
function holding(engine: Engine, tool: string, texts: readonly string[], calls: readonly SeenCall[]) {
  const rules = Object.fromEntries(texts.map((text, at) => [`c${at}`, [text]]));
  const compiled = compiledFor(engine, tool, allowing(tool, rules));
  if (!compiled) return undefined;
  let left = new Set(Object.keys(rules));
  for (const call of calls) {
    if (left.size === 0) break;
    const held = new Set(engine.evaluate(compiled, factsOf(call)).rules.map(({ rule }) => rule));
    left = new Set([...left].filter((id) => held.has(id)));
  }
  return texts.map((_, at) => left.has(`c${at}`));
}

const textsOf = (trials: readonly Trial[]) => trials.flatMap((trial) => asked(trial)?.text ?? []);
const tooLong = (trial: Trial) => (asked(trial)?.text.length ?? 0) > CONDITION_CHARS_MAX;

/** Loosens a condition until it holds for every call, or none is left. */
function fittedAlone(engine: Engine, tool: string, trial: Trial, calls: readonly SeenCall[]): Trial {
  const condition = asked(trial);
  if (!condition) return trial;
  const holds = !tooLong(trial) && holding(engine, tool, [condition.text], calls)?.[0];
  return holds ? trial : fittedAlone(engine, tool, looser(trial), calls);
}

/** The tightest condition of every bound that holds for every call. Most hold at once, so they are judged together. */
function fitted(engine: Engine, tool: string, bounds: readonly Bound[], calls: readonly SeenCall[]): Trial[] {
  const trials = bounds.map((bound): Trial => ({ bound, at: 0 }));
  const texts = trials.map((trial) => (tooLong(trial) ? "false" : (asked(trial)?.text ?? "true")));
  const held = holding(engine, tool, texts, calls);
  return trials.map((trial, at) => (held?.[at] ? trial : fittedAlone(engine, tool, trial, calls)));
}

/**
 * Drafts what is asked of a tool's calls: bounds on its arguments that hold for all that were seen, found out by judging
 * each of them. `hidden`: whether the values at a path were not kept.
 */
export function draftRule(
  engine: Engine,
  tool: string,
  calls: readonly SeenCall[],
  hidden: (keys: readonly string[]) => boolean,
): DraftRule {
  const examples = distinct(calls);
  const bounds = boundsOf(sampleOf(calls), hidden);
  const within = bounds.slice(0, CONDITIONS_MAX);
  let trials = fitted(engine, tool, within, examples);
  // What holds condition by condition may cost too much together on a long input: then the longest goes first.
  const long = examples.some(({ input }) => JSON.stringify(input).length > LONG_INPUT_CHARS);
  while (long && !holdsWhole(engine, tool, textsOf(trials), examples)) {
    const longest = textsOf(trials).reduce((one, other) => (other.length > one.length ? other : one), "");
    trials = trials.map((trial) => (asked(trial)?.text === longest ? looser(trial) : trial));
  }
  const open = [...trials.filter((trial) => !asked(trial)).map(({ bound }) => bound), ...bounds.slice(CONDITIONS_MAX)];
  return {
    ...{ tool, examples, calls: calls.length },
    conditions: trials.flatMap((trial) => asked(trial) ?? []),
    unbounded: open.map(({ unbounded }) => unbounded),
  };
}

function holdsWhole(engine: Engine, tool: string, texts: readonly string[], calls: readonly SeenCall[]): boolean {
  const compiled = compiledFor(engine, tool, allowing(tool, { whole: texts }));
  return compiled !== undefined && calls.every((call) => engine.evaluate(compiled, factsOf(call)).effect === "allow");
}
