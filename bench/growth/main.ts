import { availableParallelism } from "node:os";
import { askedFor, runProgram } from "../../.tools/asked.ts";
import { assignCores, describeMachine, machineLine } from "../src/run/machine.ts";
import { writeResult } from "../src/run/session.ts";
import { rate, table, times } from "../src/run/table.ts";
import { outcome, outcomeTable } from "../src/targets.ts";
import { roundsOf, usualOptions } from "../src/usual-options.ts";
import { type Compiling, type Growth, measureCompiling, measureGrowth } from "./src/measure.ts";
import { growthCases } from "./src/tenant.ts";

const help = `Usage: npm run bench:growth -- [options]

What a decision costs beside 10 and beside 10,000 rules that cannot match it, and what compiling costs, in this process.

  --quick       one pair of runs, and no more than 1,000 rules: does it work, not how fast is it
  --rounds N    alternating pairs of runs A B, B A, ... (default 9)
  --out FILE    where the JSON goes (default: bench/results/growth-<time>.json)
  --help        this text
`;

const ratioMax = 1.5;
const few = 10;

const values = askedFor(help, usualOptions);

function growthTable(all: readonly Growth[]): string {
  const rows = all.map(({ kind, many, fewNs, manyNs, ratio }) => [
    ...[kind, `${few} / ${rate(many)}`],
    ...[(fewNs / 1000).toFixed(2), (manyNs / 1000).toFixed(2), times(ratio)],
  ]);
  return table(["rules kept away by", "rules", "p50 us, few", "p50 us, many", "many / few"], rows);
}

function compilingTable(all: readonly Compiling[]): string {
  const rows = all.map(({ rules, ms, heapMiB, slices, longestSliceMs }) => [
    ...[rate(rules), ms.toFixed(0), heapMiB.toFixed(1), rate(slices), longestSliceMs.toFixed(1)],
  ]);
  return table(["rules", "compiled in ms", "heap MiB", "slices", "longest ms"], rows);
}

async function measure(quick: boolean, rounds: number): Promise<void> {
  const machine = describeMachine(new Date());
  const cores = assignCores(false, availableParallelism(), undefined);
  console.log(machineLine(machine, { ...cores, note: "one process, not pinned" }));
  const many = quick ? 1_000 : 10_000;
  const growth = growthCases.map((kind) => measureGrowth(kind, few, many, rounds));
  console.log(`\n${growthTable(growth)}`);
  const outcomes = growth.map(({ kind, ratio }) =>
    outcome(`${few} -> ${rate(many)} rules, ${kind}: p50`, { atMost: ratioMax }, ratio),
  );
  console.log(`\n${outcomeTable(outcomes)}`);
  const compiling: Compiling[] = [];
  for (const rules of [10, 100, 1_000, 10_000, 100_000].filter((count) => !quick || count <= 1_000)) {
    compiling.push(await measureCompiling(rules));
  }
  console.log(`\n${compilingTable(compiling)}`);
  const method = { rounds, few, many, callsTimedOneByOne: true };
  const result = { machine, method, growth, outcomes, compiling };
  console.log(`\nwritten to ${await writeResult("growth", machine.at, values.out, result)}`);
}

await runProgram(() => measure(values.quick, roundsOf(values, 9)));
