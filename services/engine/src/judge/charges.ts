import { type Amount, decimalOfMicros, microsOf } from "../amount.ts";
import type { Compiled, CompiledTool } from "../compile/compile.ts";
import { costFrame, costFrom } from "../compile/tool-costs.ts";
import { shareOf } from "../documents/tool-cost.ts";
import type { JsonObject } from "../json.ts";

/** What a call costs in one unit, in millionths. */
export interface Charged {
  readonly unit: string;
  readonly micros: bigint;
}

/** A cost that cannot be told from the input: the call is denied `input_invalid`, because no estimate could make up for it. */
export interface CostProblem {
  readonly unit: string;
  /** For the model. */
  readonly message: string;
  readonly detail: string;
}

/**
 * What a call costs by its tool's document, at most one amount a unit; `none`: nothing in any unit. Units that are not
 * listed are unknown. Pure. `input`: as it will run, so after transforms.
 */
export function costOf(
  compiled: Compiled,
  tool: string,
  input: JsonObject,
): readonly Charged[] | "none" | { readonly problem: CostProblem } {
  const known = compiled.tools.get(tool);
  if (!known) return noCost;
  return known.costs.nothingElse ? "none" : costsOf(known, input);
}

const noCost: readonly Charged[] = [];

/** What the tool itself costs on this input. */
function costsOf(tool: CompiledTool, input: JsonObject): readonly Charged[] | { readonly problem: CostProblem } {
  const { costs, computed } = tool.costs;
  if (!computed) return costs as readonly Charged[];
  const frame = costFrame(input, tool.facts);
  const charged: Charged[] = [];
  for (const cost of costs) {
    const micros = "run" in cost ? costFrom(cost.run(frame), cost.unit) : cost.micros;
    if (typeof micros === "string") return problemOf(cost.unit, micros);
    charged.push({ unit: cost.unit, micros });
  }
  return charged;
}

function problemOf(unit: string, why: string): { readonly problem: CostProblem } {
  const message = `The input does not fit the tool: what the call costs in ${unit} cannot be told from it.`;
  return { problem: { unit, message, detail: `cost in ${unit}: ${why}` } };
}

/** What stands in the way of telling what a call costs; only tools with computed costs have such inputs. */
export function costProblem(tool: CompiledTool, input: JsonObject): CostProblem | undefined {
  if (!tool.costs.computed) return undefined;
  const costs = costsOf(tool, input);
  return "problem" in costs ? costs.problem : undefined;
}

/**
 * What a call is expected to cost: in each unit the greater of what its caller says and what its tool costs. A unit whose
 * cost cannot be told is left out, so that what asks for it is unknown.
 */
export function estimateFor(
  compiled: Compiled,
  tool: string,
  input: JsonObject,
  said: readonly Amount[],
): readonly Amount[] {
  const known = compiled.tools.get(tool);
  return known ? withCosts(known, input, said) : said;
}

/** The same for a tool that is at hand. */
export function withCosts(tool: CompiledTool, input: JsonObject, said: readonly Amount[]): readonly Amount[] {
  const { costs, computed } = tool.costs;
  if (costs.length === 0) return said;
  const frame = computed ? costFrame(input, tool.facts) : undefined;
  const left: Amount[] = [];
  const unsaid: Amount[] = [];
  const replaced = new Set<string>();
  for (const cost of costs) {
    const { unit } = cost;
    const micros = "run" in cost ? frame && costFrom(cost.run(frame), unit) : cost.micros;
    const told = said.find((amount) => amount.unit === unit);
    if (typeof micros !== "bigint") replaced.add(unit);
    else if (!told) unsaid.push({ unit, value: decimalOfMicros(micros) });
    else if (micros > (microsOf(told.value) ?? 0n)) {
      replaced.add(unit);
      left.push({ unit, value: decimalOfMicros(micros) });
    }
  }
  if (replaced.size === 0 && unsaid.length === 0) return said;
  return [...said.filter(({ unit }) => !replaced.has(unit)), ...left, ...unsaid];
}

/**
 * By how much the actual cost of a call may exceed what was held for it before the overage freezes an account;
 * undefined where the tool tolerates anything in that unit.
 */
export function toleranceOf(compiled: Compiled, tool: string, unit: string, held: bigint): bigint | undefined {
  const tolerance = compiled.tools.get(tool)?.document.spec.tolerance;
  if (tolerance === undefined) return undefined;
  if (typeof tolerance === "string") return shareOf(held, tolerance);
  const amount = tolerance.find((one) => one.unit === unit);
  return amount && microsOf(amount.value);
}
