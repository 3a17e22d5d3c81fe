import type { JsonObject } from "../json.ts";
import type { Facts } from "../judge/facts.ts";
import type { Shape } from "../typing/shape.ts";
import type { Searched } from "./search.ts";
import type { Failure, Outcome, Timestamp } from "./value.ts";

/** A bound on the work of one evaluation, all rules together: a few milliseconds at most. */
export const evaluationStepsMax = 100_000;

/** How many steps are left of one evaluation, all its conditions together. Below zero every result is unknown. */
export interface Meter {
  steps: number;
  /** Of the text that was searched last, what its next search is counted by. */
  searched?: Searched;
}

/** The registered tool of a call, as conditions see it. */
export interface ToolFacts {
  readonly name: string;
  readonly server: string | undefined;
  readonly risk: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What its schemas say of the input and the context; absent where it has none. */
  readonly input?: Shape;
  readonly context?: Shape;
}

/** The time of the evaluation, read from its text once somebody asks for it. */
export interface LazyTime {
  readonly text: string;
  value: Timestamp | Failure | undefined;
}

/** Amounts of facts, once somebody has asked for them: reading one takes many times as long as the step it counts for. */
export interface AmountsRead {
  estimate: Outcome | undefined;
  /** By path. */
  budgets: Map<string, Outcome> | undefined;
}

export const noAmountsRead = (): AmountsRead => ({ estimate: undefined, budgets: undefined });

/** What one policy's conditions are judged on; of a pass all policies without variables may have the same. Nothing in it outlives a call. */
export interface Frame {
  readonly facts: Facts;
  readonly tool: ToolFacts;
  readonly input: JsonObject;
  readonly answers: JsonObject;
  readonly now: LazyTime;
  readonly amounts: AmountsRead;
  readonly meter: Meter;
  /** The policy's variables by number, once they have been asked for. */
  readonly variables: (Outcome | undefined)[];
  /** The values that macros bind: `x` of `list.all(x, …)`. */
  readonly locals: Outcome[];
  /** What other rules and policies of the same pass have computed, by meaning; absent where nothing is computed twice. */
  readonly shared?: Map<string, Outcome> | undefined;
}

export type Run = (frame: Frame) => Outcome;

/** Takes steps for work that grows with the data; false once there are none left. */
export function spend(frame: Frame, steps: number): boolean {
  frame.meter.steps -= steps;
  return frame.meter.steps >= 0;
}

/**
 * Whether no steps are left. Asked before work whose steps are known only once it is done, such as listing the keys of a
 * map: a condition that asks for such work again and again does it no more once it is too much.
 */
export function isSpent({ meter }: Frame): boolean {
  return meter.steps < 0;
}

/** The steps of work that the machine does on whole runs of characters: comparing, copying, searching for a literal. */
export function charSteps(chars: number): number {
  return 1 + (chars >> 5);
}

/** Up to so many characters of a part the machine's search goes through a text once, whatever both are. */
export const shortPartMax = 250;

/** The steps of looking for one text in another: of a long part each character is compared at each place, at worst. */
export function searchSteps(chars: number, partChars: number): number {
  const part = Math.min(partChars, chars);
  const each = part > shortPartMax ? Math.ceil((chars * part) / 128) : 0;
  return charSteps(chars) * (1 + (part >> 6)) + each;
}

/** The steps of telling which of two texts comes first, the shorter of so many characters: one by one, unlike equality. */
export function orderSteps(chars: number): number {
  return 1 + (chars >> 3);
}

/** The steps of work that looks at each character. */
export function scanSteps(chars: number): number {
  return 4 + (chars >> 1);
}
