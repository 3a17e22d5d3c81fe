import { parseArgs } from "node:util";
import { keeps } from "../src/load/statistics.ts";
import { coreList, wholeNumber } from "../src/option-values.ts";
import { startRemit } from "../src/remit/subject.ts";
import { type Comparison, compare, type Side } from "../src/run/compare.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { measure } from "../src/run/measure.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import type { Subject } from "../src/run/subject.ts";
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

async function measureCallers(bench: Bench, subjects: readonly Subject[], { lanes, callers, rounds }: Measured) {
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "3"), 600);
  const phases = { warmupMs: values.quick ? 500 : 1000, durationMs: seconds * 1000 };
  const done: Comparison[] = [];
  for (const lane of lanes) {
    for (const inFlight of callers) {
      const load = { kind: "closed", inFlight } as const;
      const sides = subjects.map((subject): Side => {
        const run = () => measure(bench.processes, bench.cores.client, subject.name, subject.spec(lane, load, phases));
        return { name: subject.name, load, run };
      });
      const title = `${laneTitles[lane]}, ${inFlight} in flight`;
      done.push(await compare(`${lane}-callers-${inFlight}`, title, sides, rounds));
      bench.say(`  measured ${title}`);
    }
  }
  return { phases, comparisons: done };
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
  const none = await startRemit(bench.processes, bench.cores.server, `${bench.folder}/none`, fillerBytes, {
    name: "no budget",
  });
  const four = await startBudgeted(bench, `${bench.folder}/four`, fillerBytes);
  const { entryBytes } = four;
  bench.say(`a measured Decide leaves an entry of ${entryBytes} bytes`);
  const locked = await startLocked(bench.processes, bench.cores.server, { fillerBytes, entryBytes, connections });
  const { phases, comparisons } = await measureCallers(bench, [locked, none, four], { lanes, callers, rounds });
  const few = await startBudgeted(bench, `${bench.folder}/few`, fillerBytes, "500");
  const race = await raceForTheLast(few, 500, 64);

  const outcomes = judge(comparisons, race);
  bench.say(`\n${comparisonTable(comparisons)}\n${companyLine(comparisons)}\n\n${outcomeTable(outcomes)}`);
  const method = { ...phases, rounds, lanes, callers, connections, cores: bench.cores.note, entryBytes, levels };
  const result = { machine, method, comparisons, race, outcomes };
  bench.say(`\nwritten to ${await writeResult("budgets", machine.at, values.out, result)}`);
}

await helpOr(values, help, () => withBench(coreList(values["server-cores"]), run));
