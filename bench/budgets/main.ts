import { askedFor, runProgram, WrongOption, wholeNumber } from "../../.tools/asked.ts";
import { coreList } from "../src/option-values.ts";
import { clientsOf } from "../src/remit/clients.ts";
import type { ServeOptions } from "../src/remit/serve.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { companyLine, comparisonTable } from "../src/run/table.ts";
import { outcomeTable } from "../src/targets.ts";
import { roundsOf, usualOptions } from "../src/usual-options.ts";
import { lockingPerCall, startBudgeted } from "./src/budgeted.ts";
import { laneTitles, type Measured, type MeasuredLane, measureCallers } from "./src/callers.ts";
import { levels } from "./src/documents.ts";
import { judgeRace, judgeTimes, names, type SubjectName } from "./src/judge.ts";
import { raceForTheLast } from "./src/last-unit.ts";

const help = `Usage: npm run bench:budgets -- [options]

Decide with four budgets that all callers share, beside Decide without any, and beside two that lock the four rows in a
transaction of every call (SELECT ... FOR UPDATE):

  bare locked rows        a server that does nothing else: it judges nothing, authenticates nobody and seals nothing. It
                          locks, looks, adds and inserts an entry of the same length, in five round trips. What a
                          throughput of five times is held against: all that Decide does besides counts against it.
  Decide, locks per call  the same service, whole, whose budgets are charged in that way: each call in a transaction of its
                          own, one statement on one of the connections. It shows what sharing commits is worth.

Then callers race for the last unit of a budget, with both ways of charging; and at the end of each round the books of all
four budgets must hold every call that was let in.

  --quick            one round of one-second runs: does it work, not how fast is it
  --rounds N         alternating rounds (default 3; with --quick 1)
  --seconds S        counted time of one run (default 3; with --quick 1)
  --callers LIST     calls in flight (default 1,8,64)
  --lanes LIST       of unary,stream (default: both; the SDK asks on a stream, and the targets are judged there)
  --connections N    of each of the two that lock per call to its Postgres (default 16)
  --server-cores C   cores of the servers and their Postgres, as taskset takes them (default: the first alone)
  --out FILE         where the JSON goes (default: bench/results/budgets-<time>.json)
  --help             this text
`;

const values = askedFor(help, {
  ...usualOptions,
  seconds: { type: "string" },
  callers: { type: "string", default: "1,8,64" },
  lanes: { type: "string", default: "unary,stream" },
  connections: { type: "string", default: "16" },
  "server-cores": { type: "string" },
});

// Brings the measured call's entry to about 2 KB.
const fillerBytes = 340;
const raced = { limit: 500, callers: 64 };

function lanesFrom(text: string): MeasuredLane[] {
  const lanes = text.split(",");
  const unknown = lanes.find((lane) => !(lane in laneTitles));
  if (unknown !== undefined)
    throw new WrongOption(`--lanes: ${unknown} is none of ${Object.keys(laneTitles).join(", ")}`);
  return lanes as MeasuredLane[];
}

function optionsOf(): Measured {
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "3"), 600);
  return {
    fillerBytes,
    lanes: lanesFrom(values.lanes),
    callers: values.callers.split(",").map((text) => wholeNumber("callers", text, 128)),
    rounds: roundsOf(values, 3),
    connections: wholeNumber("connections", values.connections, 128),
    phases: { warmupMs: values.quick ? 500 : 1000, durationMs: seconds * 1000 },
    practising: { warmupMs: values.quick ? 500 : 6000, durationMs: 500 },
  };
}

async function race(bench: Bench, name: SubjectName, folder: string, serving: ServeOptions) {
  const options = { ...serving, limit: String(raced.limit) };
  const subject = await startBudgeted(bench, `${bench.folder}/${folder}`, fillerBytes, options);
  const result = await raceForTheLast(subject, raced.limit, raced.callers);
  const { budget } = clientsOf(subject.served, subject.served.ownerKey);
  const { differencesFound } = await budget.verifyBudgets({});
  await bench.processes.stopAll();
  return { name, ...result, outcome: judgeRace(name, result, differencesFound) };
}

async function run(bench: Bench): Promise<void> {
  const measured = optionsOf();
  const machine = describeMachine(new Date());
  bench.say(machineLine(machine, bench.cores));
  const { entryBytes, comparisons, books } = await measureCallers(bench, measured);
  const races = [
    await race(bench, names.locking, "few-locking", lockingPerCall(measured.connections)),
    await race(bench, names.four, "few", {}),
  ];

  const outcomes = [...judgeTimes(comparisons), ...races.map(({ outcome }) => outcome), ...books];
  bench.say(`\n${comparisonTable(comparisons)}\n${companyLine(comparisons)}\n\n${outcomeTable(outcomes)}`);
  const { phases, practising, rounds, lanes, callers, connections } = measured;
  const cores = bench.cores.note;
  const method = { ...phases, practising, rounds, lanes, callers, connections, cores, entryBytes, levels };
  const result = { machine, method, comparisons, races, outcomes };
  bench.say(`\nwritten to ${await writeResult("budgets", machine.at, values.out, result)}`);
}

await runProgram(() => withBench(coreList(values["server-cores"]), run));
