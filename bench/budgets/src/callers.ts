import type { Phases } from "../../src/load/loops.ts";
import { alternating } from "../../src/load/schedule.ts";
import type { Load, RunResult } from "../../src/load/spec.ts";
import { readCommits, rowsPerCommit } from "../../src/remit/commits.ts";
import { type RemitSubject, startRemit } from "../../src/remit/subject.ts";
import { type Comparison, compared } from "../../src/run/compare.ts";
import { measure } from "../../src/run/measure.ts";
import type { Bench } from "../../src/run/session.ts";
import type { Subject } from "../../src/run/subject.ts";
import type { Outcome } from "../../src/targets.ts";
import { judgeBooks, type LetIn, letIn } from "./booked.ts";
import { lockingPerCall, startBudgeted } from "./budgeted.ts";
import { names, type SubjectName } from "./judge.ts";
import { startLocked } from "./locked.ts";
import { remitBooked } from "./remit-calls.ts";

export const laneTitles = { unary: "unary gRPC", stream: "one Exchange stream" } as const;
export type MeasuredLane = keyof typeof laneTitles;

export interface Measured {
  readonly fillerBytes: number;
  readonly lanes: readonly MeasuredLane[];
  readonly callers: readonly number[];
  readonly rounds: number;
  /** Of both servers that lock rows per call. */
  readonly connections: number;
  readonly phases: Phases;
  /** Nobody measures a server that has just begun. */
  readonly practising: Phases;
}

interface Compared {
  readonly name: SubjectName;
  start(at: string): Promise<Subject & { readonly service?: RemitSubject }>;
}

/** What is compared, what others are compared with first. Each is started anew for each round: what idles beside it would be work. */
function subjectsOf(bench: Bench, entryBytes: number, { fillerBytes, connections }: Measured): Compared[] {
  const { processes, cores, folder } = bench;
  const serviceOf = async (starting: Promise<RemitSubject>) => {
    const service = await starting;
    return { ...service, service };
  };
  return [
    { name: names.bare, start: () => startLocked(processes, cores.server, { fillerBytes, entryBytes, connections }) },
    {
      name: names.locking,
      start: (at) =>
        serviceOf(startBudgeted(bench, `${folder}/locking-${at}`, fillerBytes, lockingPerCall(connections))),
    },
    {
      name: names.none,
      start: (at) => serviceOf(startRemit(processes, cores.server, `${folder}/none-${at}`, fillerBytes)),
    },
    { name: names.four, start: (at) => serviceOf(startBudgeted(bench, `${folder}/four-${at}`, fillerBytes)) },
  ];
}

const practice = { kind: "closed", inFlight: 8 } as const;

/** A caller alone asks so seldom that what only it runs, such as the commit of one record, is compiled late. */
const practisedAlone = (phases: Phases, practising: Phases, inFlight: number): Phases =>
  inFlight === 1 ? { ...phases, warmupMs: 2 * practising.warmupMs } : phases;
/** Every service is asked once when it starts. */
const asked: LetIn = { good: 1, unsure: 0 };

/** Measures each with all loads, round by round. `books`: whether those with budgets hold what was let in, at the end of each round. */
export async function measureCallers(
  bench: Bench,
  measured: Measured,
): Promise<{ readonly entryBytes: number; readonly comparisons: Comparison[]; readonly books: Outcome[] }> {
  const { fillerBytes, lanes, callers, rounds, phases, practising } = measured;
  const { entryBytes } = await startBudgeted(bench, `${bench.folder}/first`, fillerBytes);
  bench.say(`a measured Decide leaves an entry of ${entryBytes} bytes`);
  await bench.processes.stopAll();

  const subjects = subjectsOf(bench, entryBytes, measured);
  const loads = lanes.flatMap((lane) =>
    callers.map((inFlight) => ({ lane, load: { kind: "closed", inFlight } as const })),
  );
  const runs = new Map(subjects.map(({ name }) => [name, loads.map((): RunResult[] => [])]));
  const books: Outcome[] = [];
  for (const [round, order] of alternating(subjects, rounds).entries()) {
    for (const { name, start } of order) {
      const subject = await start(String(round));
      const { service } = subject;
      const made: LetIn[] = [asked];
      const run = async (lane: MeasuredLane, load: Load, during: Phases): Promise<RunResult> => {
        const before = service && (await readCommits(service.served.metricsPort));
        const result = await measure(bench.processes, bench.cores.client, name, subject.spec(lane, load, during));
        made.push(result);
        const rows = before && service && rowsPerCommit(before, await readCommits(service.served.metricsPort));
        return rows === undefined ? result : { ...result, rowsPerCommit: rows };
      };
      for (const lane of lanes) await run(lane, practice, practising);
      for (const [at, { lane, load }] of loads.entries()) {
        const during = practisedAlone(phases, practising, load.inFlight);
        runs.get(name)?.[at]?.push(await run(lane, load, during));
      }
      if (service && service.holds > 0) books.push(judgeBooks(name, letIn(made), await remitBooked(service)));
      await bench.processes.stopAll();
      bench.say(`  round ${round + 1}: measured "${name}"`);
    }
  }
  const comparisons = loads.map(({ lane, load }, at) => {
    const sides = subjects.map(({ name }) => ({ name, load, runs: runs.get(name)?.[at] ?? [] }));
    return compared(`${lane}-callers-${load.inFlight}`, `${laneTitles[lane]}, ${load.inFlight} in flight`, sides, 2);
  });
  return { entryBytes, comparisons, books };
}
