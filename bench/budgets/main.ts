import { parseArgs } from "node:util";
import type { Phases } from "../src/load/loops.ts";
import { alternating } from "../src/load/schedule.ts";
import type { Load, RunResult } from "../src/load/spec.ts";
import { keeps } from "../src/load/statistics.ts";
import { coreList, wholeNumber } from "../src/option-values.ts";
import { startRemit } from "../src/remit/subject.ts";
import { type Comparison, compared } from "../src/run/compare.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { measure } from "../src/run/measure.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { companyLine, comparisonTable } from "../src/run/table.ts";
import { type Outcome, outcomeTable } from "../src/targets.ts";
import { helpOr, roundsOf, usualOptions } from "../src/usual-options.ts";
import { startBudgeted } from "./src/budgeted.ts";
import { levels } from "./src/documents.ts";
import { type LastUnit, raceForTheLast } from "./src/last-unit.ts";
import { startLocked } from "./src/locked.ts";

const help = `Usage: npm run bench:budgets -- [options]

Decide with four budgets that all callers share, beside Decide without any, and beside a server that locks its four rows
in a transaction of every call (SELECT ... FOR UPDATE); then callers that race for the last unit of a budget.

  --quick            one round of one-second runs: does it work, not how fast is it
  --rounds N         alternating rounds (default 3; with --quick 1)
  --seconds S        counted time of one run (default 3; with --quick 1)
  --callers LIST     calls in flight (default 1,8,64)
  --lanes LIST       of unary,stream (default: both; the SDK asks on a stream, and the targets are judged there)
  --connections N    of the locking server to its Postgres (default 16)
  --server-cores C   cores of the servers and their Postgres, as taskset takes them (default: the first alone)
  --out FILE         where the JSON goes (default: bench/results/budgets-<time>.json)
  --help             this text
`;

const { values } = parseArgs({
  options: {
    ...usualOptions,
    seconds: { type: "string" },
    callers: { type: "string", default: "1,8,64" },
    lanes: { type: "string", default: "unary,stream" },
    connections: { type: "string", default: "16" },
    "server-cores": { type: "string" },
  },
});

// Brings the measured call's entry to about 2 KB.
const fillerBytes = 340;
const aloneP99MsMax = 3;
const throughputTimesMin = 5;

const laneTitles = { unary: "unary gRPC", stream: "one Exchange stream" } as const;
type MeasuredLane = keyof typeof laneTitles;

interface Measured {
  readonly lanes: readonly MeasuredLane[];
  readonly callers: readonly number[];
  readonly rounds: number;
}

function lanesFrom(text: string): MeasuredLane[] {
  const lanes = text.split(",");
  const unknown = lanes.find((lane) => !(lane in laneTitles));
  if (unknown !== undefined) throw new Error(`--lanes: ${unknown} is none of ${Object.keys(laneTitles).join(", ")}`);
  return lanes as MeasuredLane[];
}

/** What is compared, the locking server first. Each is started anew for each round: what idles beside it would be work. */
function subjectsOf({ processes, cores, folder }: Bench, entryBytes: number, connections: number) {
  const none = (at: string) =>
    startRemit(processes, cores.server, `${folder}/none-${at}`, fillerBytes, { name: "no budget" });
  const four = (at: string) => startBudgeted({ processes, cores }, `${folder}/four-${at}`, fillerBytes);
  const locked = () => startLocked(processes, cores.server, { fillerBytes, entryBytes, connections });
  return [
    { name: "locked", start: locked },
    { name: "no budget", start: none },
    { name: "four budgets", start: four },
  ];
}

/** Nobody measures a server that has just begun. */
const practice = { kind: "closed", inFlight: 8 } as const;

async function measureCallers(bench: Bench, connections: number, { lanes, callers, rounds }: Measured) {
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "3"), 600);
  const phases = { warmupMs: values.quick ? 500 : 1000, durationMs: seconds * 1000 };
  const practising = { warmupMs: values.quick ? 500 : 6000, durationMs: 500 };
  const { entryBytes } = await startBudgeted(bench, `${bench.folder}/first`, fillerBytes);
  bench.say(`a measured Decide leaves an entry of ${entryBytes} bytes`);
  await bench.processes.stopAll();

  const subjects = subjectsOf(bench, entryBytes, connections);
  const loads = lanes.flatMap((lane) =>
    callers.map((inFlight) => ({ lane, load: { kind: "closed", inFlight } as const })),
  );
  const runs = new Map(subjects.map(({ name }) => [name, loads.map((): RunResult[] => [])]));
  for (const [round, order] of alternating(subjects, rounds).entries()) {
    for (const { name, start } of order) {
      const subject = await start(String(round));
      const run = (lane: MeasuredLane, load: Load, during: Phases) =>
        measure(bench.processes, bench.cores.client, name, subject.spec(lane, load, during));
      for (const lane of lanes) await run(lane, practice, practising);
      for (const [at, { lane, load }] of loads.entries()) runs.get(name)?.[at]?.push(await run(lane, load, phases));
      await bench.processes.stopAll();
      bench.say(`  round ${round + 1}: measured ${name}`);
    }
  }
  const comparisons = loads.map(({ lane, load }, at) => {
    const sides = subjects.map(({ name }) => ({ name, load, runs: runs.get(name)?.[at] ?? [] }));
    return compared(`${lane}-callers-${load.inFlight}`, `${laneTitles[lane]}, ${load.inFlight} in flight`, sides);
  });
  return { phases, entryBytes, comparisons };
}

/** The sides stand in this order: the locking server first, since the ratios are to it. The last lane is judged. */
function judge(comparisons: readonly Comparison[], race: LastUnit): Outcome[] {
  const one = comparisons.findLast(({ id }) => id.endsWith("-callers-1"));
  const alone = one?.sides.find(({ name }) => name === "four budgets");
  const most = comparisons.at(-1)?.ratios.find(({ of }) => of === "four budgets");
  const outcomes: Outcome[] = [];
  if (alone) {
    const found = `${(alone.p99 / 1000).toFixed(2)} ms`;
    const bound = `< ${aloneP99MsMax} ms`;
    outcomes.push({ target: "four budgets, alone: p99", bound, found, kept: alone.p99 < aloneP99MsMax * 1000 });
  }
  if (most) {
    const bound = { atLeast: throughputTimesMin };
    const found = `${most.perSecond.toFixed(2)} x`;
    const kept = keeps(bound, most.perSecond);
    outcomes.push({ target: "most callers: calls/s / locked rows'", bound: `>= ${throughputTimesMin} x`, found, kept });
  }
  const found = `${race.allowed} of ${race.limit} allowed; ${race.booked}`;
  outcomes.push({ target: `${race.callers} callers, one budget`, bound: "none over", found, kept: !race.overspent });
  return outcomes;
}

async function run(bench: Bench): Promise<void> {
  const rounds = roundsOf(values, 3);
  const connections = wholeNumber("connections", values.connections, 128);
  const callers = values.callers.split(",").map((text) => wholeNumber("callers", text, 128));
  const lanes = lanesFrom(values.lanes);
  const machine = describeMachine(new Date());
  bench.say(machineLine(machine, bench.cores));
  const { phases, entryBytes, comparisons } = await measureCallers(bench, connections, { lanes, callers, rounds });
  const few = await startBudgeted(bench, `${bench.folder}/few`, fillerBytes, "500");
  const race = await raceForTheLast(few, 500, 64);

  const outcomes = judge(comparisons, race);
  bench.say(`\n${comparisonTable(comparisons)}\n${companyLine(comparisons)}\n\n${outcomeTable(outcomes)}`);
  const method = { ...phases, rounds, lanes, callers, connections, cores: bench.cores.note, entryBytes, levels };
  const result = { machine, method, comparisons, race, outcomes };
  bench.say(`\nwritten to ${await writeResult("budgets", machine.at, values.out, result)}`);
}

await helpOr(values, help, () => withBench(coreList(values["server-cores"]), run));
