import { type Compiled, compile, compileInSlices, evaluate } from "../../../services/engine/src/index.ts";
import { median, pairedRatio } from "../../src/load/statistics.ts";
import { facts, type GrowthCase, tenantOf } from "./tenant.ts";

const callsARun = 4_000;
const warmupCalls = 20_000;

export interface Growth {
  readonly kind: GrowthCase;
  readonly few: number;
  readonly many: number;
  /** Median of the runs' p50, in nanoseconds. */
  readonly fewNs: number;
  readonly manyNs: number;
  /** Median of the ratios of runs that stood side by side. */
  readonly ratio: number;
  readonly ratios: readonly number[];
}

export interface Compiling {
  readonly rules: number;
  readonly ms: number;
  /** What the compiled structure keeps, its documents not counted. */
  readonly heapMiB: number;
  readonly slices: number;
  /** The longest time between two turns of the event loop. */
  readonly longestSliceMs: number;
}

function compiled(kind: GrowthCase, count: number): Compiled {
  const { compiled: made, problems } = compile(tenantOf(kind, count));
  if (!made) throw new Error(`the tenant does not compile: ${problems[0]?.message}`);
  return made;
}

/** The p50 of one run of calls, each timed by itself. */
function run(tenant: Compiled): number {
  const times = new Float64Array(callsARun);
  for (let call = 0; call < callsARun; call++) {
    const began = process.hrtime.bigint();
    const { code } = evaluate(tenant, facts);
    times[call] = Number(process.hrtime.bigint() - began);
    if (code !== "rule_allowed") throw new Error(`a measured call ended with ${code}`);
  }
  return times.sort()[callsARun >> 1] ?? Number.NaN;
}

/** A call beside few and beside many rules that cannot match it, in runs that alternate A B, B A. */
export function measureGrowth(kind: GrowthCase, few: number, many: number, rounds: number): Growth {
  const sides = [compiled(kind, few), compiled(kind, many)] as const;
  for (let call = 0; call < warmupCalls; call++) for (const side of sides) evaluate(side, facts);
  const runs: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) runs[side].push(run(sides[side]));
  }
  const { median: ratio, each } = pairedRatio(runs[1], runs[0]);
  return { kind, few, many, fewNs: median(runs[0]), manyNs: median(runs[1]), ratio, ratios: each };
}

const heapMiB = () => {
  global.gc?.();
  return process.memoryUsage().heapUsed / (1024 * 1024);
};

/** Compiling in slices, as the service does. */
export async function measureCompiling(rules: number): Promise<Compiling> {
  const source = tenantOf("other tools", rules);
  const before = heapMiB();
  let slices = 0;
  let longestSliceMs = 0;
  const began = performance.now();
  let sliceBegan = began;
  const { compiled: made } = await compileInSlices(source, {}, async () => {
    longestSliceMs = Math.max(longestSliceMs, performance.now() - sliceBegan);
    slices++;
    await new Promise((resolve) => setImmediate(resolve));
    sliceBegan = performance.now();
  });
  const ms = performance.now() - began;
  longestSliceMs = Math.max(longestSliceMs, performance.now() - sliceBegan);
  const kept = heapMiB() - before;
  if (!made?.tools.has("payments.transfer")) throw new Error("the tenant does not compile");
  return { rules, ms, heapMiB: kept, slices, longestSliceMs };
}
