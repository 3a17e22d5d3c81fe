import { askedFor, runProgram, wholeNumber } from "../../.tools/asked.ts";
import { median, pairedRatio } from "../src/load/statistics.ts";
import { describeMachine } from "../src/run/machine.ts";
import { writeResult } from "../src/run/session.ts";
import { table } from "../src/run/table.ts";
import { type Absent, type Contender, cedarWasm, native, nativeChecked, regoContenders } from "./contenders.ts";
import { type PolicySet, policySets } from "./sets.ts";

const help = `Usage: npm run bench -- engines [options]

Remit's engine beside cedar-wasm and OPA WASM, in one process, on equal policies and calls. First all must give the same
answer to every call. The first engine is the reference of the ratios.

  --quick       two rounds of 50 ms
  --rounds N    alternating rounds A B C, C B A, ... (default 5)
  --ms N        counted time of one run (default 300)
  --out FILE    where the JSON goes (default: bench/results/engines-<time>.json)
`;

interface Run {
  readonly p50: number;
  readonly p99: number;
}

interface Side {
  readonly name: string;
  /** With the conversion of a call into what the engine takes, and of what was converted before. */
  readonly whole: Run[];
  readonly bare: Run[];
}

/** Whether every engine answers every call alike, and what was answered. */
function verifyEqual(set: PolicySet, contenders: readonly Contender[]): string {
  let allowed = 0;
  for (const asked of set.calls) {
    const answers = contenders.map(({ convert, decide }) => decide(convert(asked) as never));
    if (answers.some((answer) => answer !== answers[0])) {
      const said = contenders.map(({ name }, index) => `${name}: ${answers[index] ? "allow" : "deny"}`).join(", ");
      throw new Error(`${set.name}: ${JSON.stringify(asked)} is answered differently: ${said}`);
    }
    if (answers[0]) allowed++;
  }
  if (allowed === 0 || allowed === set.calls.length) throw new Error(`${set.name}: every call has the same answer`);
  return `${set.calls.length} calls answered alike: ${allowed} allowed, ${set.calls.length - allowed} denied`;
}

const samplesMax = 200_000;
const samples = new Float64Array(samplesMax);

/** Latencies of single calls in microseconds, one after the other for some time. */
function measure(set: PolicySet, { convert, decide }: Contender, converting: boolean, forMs: number): Run {
  const ready = set.calls.map(convert);
  const until = performance.now() + forMs;
  let count = 0;
  for (let index = 0; count < samplesMax; index++) {
    const at = index % set.calls.length;
    const asked = set.calls[at];
    if (!asked) break;
    const start = performance.now();
    decide((converting ? convert(asked) : ready[at]) as never);
    const end = performance.now();
    samples[count++] = (end - start) * 1000;
    if (end > until && index > 20) break;
  }
  const sorted = samples.slice(0, count).sort();
  const at = (share: number) => sorted[Math.min(count - 1, Math.floor(count * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function measureAll(set: PolicySet, contenders: readonly Contender[], rounds: number, forMs: number): Side[] {
  const sides = contenders.map(({ name }): Side => ({ name, whole: [], bare: [] }));
  for (const contender of contenders) measure(set, contender, true, forMs);
  for (let round = 0; round < rounds; round++) {
    const order = contenders.map((_, index) => (round % 2 === 0 ? index : contenders.length - 1 - index));
    for (const index of order) {
      const [contender, side] = [contenders[index], sides[index]];
      if (!contender || !side) continue;
      side.whole.push(measure(set, contender, true, forMs));
      side.bare.push(measure(set, contender, false, forMs));
    }
  }
  return sides;
}

const us = (figure: number) => figure.toFixed(figure < 10 ? 2 : 1);
const of = (runs: readonly Run[], key: keyof Run) => runs.map((run) => run[key]);

function rowsOf(set: PolicySet, sides: readonly Side[], absent: readonly Absent[]): string[][] {
  const [reference] = sides;
  const ratio = (side: Side, kind: "whole" | "bare") =>
    side === reference || !reference
      ? ""
      : `${pairedRatio(of(side[kind], "p50"), of(reference[kind], "p50")).median.toFixed(1)} x`;
  const rows = sides.map((side, index) => [
    index === 0 ? set.title : "",
    side.name,
    ...(["whole", "bare"] as const).flatMap((kind) => [
      us(median(of(side[kind], "p50"))),
      us(median(of(side[kind], "p99"))),
      ratio(side, kind),
    ]),
  ]);
  return [...rows, ...absent.map(({ name, why }) => ["", `${name}: ${why}`])];
}

const head = ["policies", "engine", "p50 µs", "p99 µs", "p50 ratio", "converted p50", "converted p99", "ratio"];

async function run(options: { rounds: number; forMs: number; out: string | undefined }): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const machine = describeMachine(new Date());
  say(
    `${machine.cpu}, ${machine.cores} cores, ${machine.node}, commit ${machine.commit}, load ${machine.loadAverage[0]}`,
  );
  const rows: string[][] = [];
  const results = [];
  for (const set of policySets) {
    const rego = await regoContenders(set);
    // Ten thousand schemas take longer to compile than the measurement.
    const checked = set.tools.length > 100 ? [] : [nativeChecked(set)];
    const contenders = [native(set), cedarWasm(set), ...rego.filter((one) => "decide" in one), ...checked];
    const absent = rego.filter((one) => "why" in one);
    const verified = verifyEqual(set, contenders);
    say(`${set.title}: ${verified}`);
    const sides = measureAll(set, contenders, options.rounds, options.forMs);
    rows.push(...rowsOf(set, sides, absent));
    results.push({ set: set.name, verified, sides, absent });
  }
  say(`\n${table(head, rows)}`);
  say(
    "A ratio is how many times as long as remit's own engine. With the conversion of a call, and of one converted before:",
  );
  say(
    "cedar-wasm is given an object, which it converts itself in both; opa-wasm is given JSON, which it parses in both.",
  );
  const method = { rounds: options.rounds, forMs: options.forMs };
  say(`written to ${await writeResult("engines", machine.at, options.out, { machine, method, results })}`);
}

const values = askedFor(
  help,
  {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    ms: { type: "string" },
    out: { type: "string" },
  },
  process.argv.slice(2).filter((word) => word !== "engines"),
);
await runProgram(() =>
  run({
    rounds: wholeNumber("rounds", values.rounds ?? (values.quick ? "2" : "5"), 99),
    forMs: wholeNumber("ms", values.ms ?? (values.quick ? "50" : "300"), 60_000),
    out: values.out,
  }),
);
