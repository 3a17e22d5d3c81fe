import { askedFor, runProgram, wholeNumber } from "../../.tools/asked.ts";
import type { SteppedCall } from "../src/load/steps.ts";
import type { RemitSubject } from "../src/remit/subject.ts";
import { type Comparison, compare, type Side } from "../src/run/compare.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { measure } from "../src/run/measure.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { companyLine, comparisonTable } from "../src/run/table.ts";
import { outcomeTable } from "../src/targets.ts";
import { roundsOf, usualOptions } from "../src/usual-options.ts";
import { judgeBooks, type LetIn, letIn } from "./src/booked.ts";
import { startBudgeted } from "./src/budgeted.ts";
import { type Cycles, type Durability, startCycles } from "./src/cycles.ts";
import { cyclesBuild, findCycles } from "./src/cycles-program.ts";
import { levels } from "./src/documents.ts";
import { remitBooked, remitCalls } from "./src/remit-calls.ts";

const help = `Usage: npm run bench:cycles -- --jar FILE [options]

Decide with four budgets that all callers share, beside Cycles reserving in four levels that all callers share; then with
what settles them, Report and commit. The same client, in JSON over HTTP/1.1, asks both; every answer is read. Cycles is
asked with Redis flushing its log every second, as its own compose file has it, and with every write, as Postgres does.
At the end the books of both must hold what was answered.

  --jar FILE         of Cycles, built from its source; without it this says how
  --quick            one round of one-second runs: does it work, not how fast is it
  --rounds N         alternating rounds (default 3; with --quick 1)
  --seconds S        counted time of one run (default 3; with --quick 1)
  --warm S           load before the first run, for each of the two, since a JVM compiles while it runs
                     (default 60; with --quick 10)
  --callers LIST     calls in flight (default 1,8,64)
  --out FILE         where the JSON goes (default: bench/results/cycles-<time>.json)
  --help             this text
`;

const values = askedFor(help, {
  ...usualOptions,
  jar: { type: "string" },
  seconds: { type: "string" },
  warm: { type: "string" },
  callers: { type: "string", default: "1,8,64" },
});

// Brings the measured call's entry to about 2 KB.
const fillerBytes = 340;
const warmInFlight = 8;

interface Peer {
  readonly name: string;
  /** What became of every call that was ever made. */
  readonly made: LetIn[];
  side(calls: readonly SteppedCall[], inFlight: number, phases: Phases, before?: () => Promise<void>): Side["run"];
}
interface Phases {
  readonly warmupMs: number;
  readonly durationMs: number;
}

function peerOn({ processes, cores }: Bench, name: string, port: number): Peer {
  const made: LetIn[] = [];
  return {
    name,
    made,
    side: (calls, inFlight, phases, before) => async () => {
      await before?.();
      const result = await measure(processes, cores.client, name, {
        ...{ host: "127.0.0.1", port, target: { kind: "steps", calls }, inspect: "nothing" },
        ...{ idPrefix: `r${process.hrtime.bigint()}`, load: { kind: "closed", inFlight }, phases },
      });
      made.push(result);
      return result;
    },
  };
}

const title = (settled: boolean, inFlight: number) =>
  `${settled ? "hold and settle" : "hold"}, ${inFlight} caller${inFlight === 1 ? "" : "s"}`;

interface Both {
  readonly cycles: Cycles & { readonly peer: Peer };
  readonly remit: { readonly subject: RemitSubject; readonly peer: Peer };
}

function sidesOf(bench: Bench, { cycles, remit }: Both, settled: boolean, inFlight: number, phases: Phases): Side[] {
  const load = { kind: "closed", inFlight } as const;
  const pick = ({ held, settled: both }: Cycles["calls"]) => (settled ? both : held);
  const ofCycles = (mode: Durability, name: string): Side => ({
    ...{ name, load },
    run: cycles.peer.side(pick(cycles.calls), inFlight, phases, () => cycles.durability(mode)),
  });
  const calls = pick(remitCalls(remit.subject, fillerBytes));
  const json: Side = { name: "Remit, JSON", load, run: remit.peer.side(calls, inFlight, phases) };
  const grpc: Side = {
    ...{ name: "Remit, gRPC", load },
    run: async () => {
      const spec = remit.subject.spec("unary", load, phases);
      const result = await measure(bench.processes, bench.cores.client, "Remit, gRPC", spec);
      remit.peer.made.push(result);
      return result;
    },
  };
  const both = [ofCycles("always", "Cycles, each write"), ofCycles("everysec", "Cycles, each second"), json];
  return settled ? both : [...both, grpc];
}

async function warmUp({ cycles, remit }: Both, seconds: number): Promise<void> {
  const phases = { warmupMs: 0, durationMs: seconds * 500 };
  const calls = remitCalls(remit.subject, fillerBytes);
  for (const settled of [false, true]) {
    const pick = (of: Cycles["calls"]) => (settled ? of.settled : of.held);
    await cycles.peer.side(pick(cycles.calls), warmInFlight, phases)();
    await remit.peer.side(pick(calls), warmInFlight, phases)();
  }
}

const published = `Published by Cycles (BENCHMARKS.md of that commit; 64 cores, one budget, Redis that keeps no log of what it wrote):
1 client 49.6/s, p99 32.4 ms; 50 clients 999/s, p99 114 ms; 200 clients 928/s, p99 1,326 ms.
Not equal: Remit's answer is a decision by policies over a call's arguments, recorded on the disk before it is given, in
an entry of 2 KB; Cycles's is a reservation, which is on the disk before the answer in "each write" alone.`;

async function run(bench: Bench): Promise<void> {
  const rounds = roundsOf(values, 3);
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick ? "1" : "3"), 600);
  const warmSeconds = wholeNumber("warm", values.warm ?? (values.quick ? "10" : "60"), 3_600);
  const callers = values.callers.split(",").map((text) => wholeNumber("callers", text, 128));
  const program = findCycles(values.jar, process.env.JAVA_HOME);
  const machine = describeMachine(new Date());
  bench.say(machineLine(machine, bench.cores));
  const subject = await startBudgeted(bench, `${bench.folder}/remit`, fillerBytes);
  const started = await startCycles(bench, program, `${bench.folder}/cycles`);
  const cycles = { ...started, peer: peerOn(bench, "Cycles", started.port) };
  const both = { cycles, remit: { subject, peer: peerOn(bench, "Remit", subject.served.httpPort) } };
  await warmUp(both, warmSeconds);
  bench.say(`warmed: ${warmSeconds} s of load with ${warmInFlight} callers for each`);
  const phases = { warmupMs: values.quick ? 500 : 1000, durationMs: seconds * 1000 };
  const comparisons: Comparison[] = [];
  for (const settled of [false, true]) {
    for (const inFlight of callers) {
      const sides = sidesOf(bench, both, settled, inFlight, phases);
      const id = `${settled ? "pairs" : "holds"}-${inFlight}`;
      comparisons.push(await compare(id, title(settled, inFlight), sides, rounds));
      bench.say(`  measured ${title(settled, inFlight)}`);
    }
  }
  // One call was made to look at the service.
  const ofRemit = letIn([{ good: 1, unsure: 0 }, ...both.remit.peer.made]);
  const outcomes = [
    judgeBooks("Cycles", letIn(cycles.peer.made), await cycles.booked()),
    judgeBooks("Remit", ofRemit, await remitBooked(subject)),
  ];
  bench.say(
    `\n${comparisonTable(comparisons)}\n${companyLine(comparisons)}\n\n${outcomeTable(outcomes)}\n\n${published}`,
  );
  const method = { ...phases, rounds, callers, warmSeconds, cores: bench.cores.note, levels: levels.length };
  const versions = { cycles: cyclesBuild, ...program.versions };
  const result = { machine, method, versions, comparisons, outcomes };
  bench.say(`\nwritten to ${await writeResult("cycles", machine.at, values.out, result)}`);
  if (!outcomes.every(({ kept }) => kept)) throw new Error("the books do not hold what was answered");
}

await runProgram(() => withBench(undefined, run));
