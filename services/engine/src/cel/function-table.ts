import type { Frame } from "./frame.ts";
import type { StaticType } from "./node.ts";
import type { Outcome, Value } from "./value.ts";

/** What is wrong with an argument that is known when compiling. */
export interface LiteralProblem {
  readonly message: string;
  readonly expected?: string | undefined;
  readonly nearest?: string | undefined;
}

/** A function of a condition: what it takes, its receiver first if it is a method, and what it answers. */
export interface CelFunction {
  readonly params: readonly (readonly StaticType[])[];
  /** How many parameters at the end may be left out. */
  readonly optional?: number;
  readonly result: StaticType;
  /** The type of the elements of a list that it answers. */
  readonly items?: StaticType;
  /** What one use costs, whatever its values; 1 if absent. */
  readonly steps?: number;
  /** Computed when compiling if every argument is known then, and a failure is a compile error. */
  readonly folds?: boolean;
  /** Looks at an argument that is known when compiling, so that a slip in it does not wait for a call. */
  readonly literal?: (index: number, value: Value) => LiteralProblem | undefined;
  /** What to apply instead where some arguments are known when compiling; undefined if nothing is gained. */
  readonly prepare?: (known: readonly (Value | undefined)[]) => CelFunction["apply"] | undefined;
  /** Looks at a literal that the answer is compared with: what is wrong with it if it can never be the answer. */
  readonly never?: ((literal: Value) => LiteralProblem | undefined) | undefined;
  readonly apply: (args: readonly Value[], frame: Frame) => Outcome;
}

export type FunctionTable = Readonly<Record<string, CelFunction>>;

export function lookup(table: FunctionTable, name: string): CelFunction | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
