import { on } from "node:events";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { askedFor, runProgram, wholeNumber } from "../../../../.tools/asked.ts";
import { type Difference, differential, newTally, type Tally } from "./run.ts";
import { shrunk } from "./shrink.ts";
import { toldDifference, toldTally } from "./told.ts";

const HELP = `Judges random calls of random policies twice, by the engine and by the naive evaluator, until there were enough cases or
a difference. Exits with 1 on a difference, and where time ran out before the cases did.

  npm run differential -- --cases 1000000 --seed 7 --minutes 30
  npm run differential -- --workers 1     default: as many as there are cores
`;

const SEED_MAX = 2 ** 32 - 1;
const callsPerWorld = 400;
const worldsAtOnce = 5;

interface Part {
  readonly from: number;
}

interface Told {
  readonly from: number;
  readonly tally: Tally;
  readonly difference: Difference | undefined;
}

function work({ seed }: { readonly seed: number }): void {
  parentPort?.on("message", ({ from }: Part) => {
    const tally = newTally();
    const difference = differential({ seed, from, worlds: worldsAtOnce, callsPerWorld }, tally);
    const told: Told = { from, tally, difference: difference && shrunk(difference) };
    parentPort?.postMessage(told);
  });
}

function add(total: Tally, { tally }: Told): void {
  for (const key of ["cases", "worlds", "rejected", "unknown", "would"] as const) total[key] += tally[key];
  for (const [code, count] of tally.codes) total.codes.set(code, (total.codes.get(code) ?? 0) + count);
}

/** Runs parts on workers until there are enough cases, a difference, or no time left. */
async function runAll(
  seed: number,
  cases: number,
  workers: number,
  endMs: number,
): Promise<{ total: Tally; found: Told | undefined }> {
  const total = newTally();
  let next = 0;
  let nextTold = 100_000;
  let found: Told | undefined;
  const one = async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { seed } });
    const answers = on(worker, "message")[Symbol.asyncIterator]();
    while (!found && total.cases < cases && Date.now() < endMs) {
      const from = next;
      next += worldsAtOnce;
      worker.postMessage({ from } satisfies Part);
      const [told] = (await answers.next()).value as [Told];
      add(total, told);
      if (total.cases >= nextTold) {
        console.log(`${total.cases} cases`);
        nextTold += 100_000;
      }
      if (told.difference) found ??= told;
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: workers }, one));
  return { total, found };
}

async function main(): Promise<void> {
  const values = askedFor(HELP, {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % SEED_MAX) },
    minutes: { type: "string", default: "60" },
    workers: { type: "string", default: String(availableParallelism()) },
  });
  const seed = wholeNumber("seed", values.seed, SEED_MAX);
  const cases = wholeNumber("cases", values.cases, 1_000_000_000);
  const minutes = wholeNumber("minutes", values.minutes, 24 * 60);
  const workers = wholeNumber("workers", values.workers, 64);
  console.log(`seed ${seed}, ${cases} cases, ${workers} workers, at most ${minutes} minutes`);
  const startMs = Date.now();
  const { total, found } = await runAll(seed, cases, workers, startMs + minutes * 60_000);
  const seconds = (Date.now() - startMs) / 1000;
  console.log(toldTally(total));
  console.log(`${seconds.toFixed(0)} s, ${(total.cases / seconds).toFixed(0)} cases/s`);
  if (found?.difference) {
    console.log(`A DIFFERENCE, seed ${seed}, worlds from ${found.from}:\n${toldDifference(found.difference)}`);
  } else if (total.cases < cases) console.log("Time ran out; no difference so far.");
  else console.log("No difference.");
  process.exitCode = found || total.cases < cases ? 1 : 0;
}

if (isMainThread) await runProgram(main);
else work(workerData as { readonly seed: number });
