import { on } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { askedFor, runProgram, WrongOption, wholeNumber } from "../../../../.tools/asked.ts";
import { emptyCells, table, wronglyImpossible } from "./coverage.ts";
import { addTally, newTally, play, shrink, type Tally } from "./run.ts";
import { simulate } from "./simulate.ts";
import { rulesOf, variants } from "./variants.ts";

const HELP = `Plays schedules of replicas, callers and everything that can befall them, and checks the books after every commit.

  npm run simulate -- --schedules 100000
  npm run simulate -- --schedules 100000 --workers 2 --seed 1
  npm run simulate -- --variant "hold adopted twice"     a known-bad rule, which must be caught
  npm run simulate -- --variants --schedules 20000       all of them: how many schedules each takes
  npm run simulate -- --seed 7 --only 3,5,11             one schedule again, or a part of it, with its trace

Interrupted, it tells what the schedules until then came to.
`;

/** Schedules that a worker plays before it tells. */
const AT_ONCE = 100;
/** From so many on, a cell of the coverage table that stayed empty is a failure. */
const COVERED_FROM = 50_000;
const TOLD_EVERY = 5_000;

interface Given {
  readonly variant: string | undefined;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

function work({ variant }: Given): void {
  parentPort?.on("message", async (from: number) => parentPort?.postMessage(await play(from, AT_ONCE, variant)));
}

/** Plays schedules on workers until there are enough, one is wrong, or somebody interrupts it. */
async function playAll(first: number, schedules: number, workers: number, variant: string | undefined): Promise<Tally> {
  const total = newTally();
  const startedMs = performance.now();
  let next = first;
  let nextTold = TOLD_EVERY;
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      interrupted = true;
    });
  }
  const one = async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { variant } satisfies Given });
    const answers = on(worker, "message")[Symbol.asyncIterator]();
    while (!total.wrong && !interrupted && next < first + schedules) {
      worker.postMessage(next);
      next += AT_ONCE;
      const [told] = (await answers.next()).value as [Tally];
      addTally(total, told);
      if (total.schedules < nextTold) continue;
      nextTold += TOLD_EVERY;
      say(
        `${total.schedules} schedules, ${total.commits} commits, ${Math.round((performance.now() - startedMs) / 1000)} s`,
      );
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: workers }, one));
  return total;
}

async function tellWrong({ wrong }: Tally, variant: string | undefined): Promise<void> {
  if (!wrong) return;
  const { only, last } = await shrink(wrong.seed, variant);
  say(last.trace.join("\n"));
  say(`\nWRONG under seed ${wrong.seed}:\n${last.violations.join("\n")}`);
  const named = variant === undefined ? "" : ` --variant "${variant}"`;
  say(`\nagain: npm run simulate -- --seed ${wrong.seed} --only ${only.join(",")}${named}`);
}

async function replay(seed: number, only: string, variant: string | undefined): Promise<number> {
  const numbers = new Set(only.split(",").map(Number));
  const { trace, violations } = await simulate(seed, { rules: rulesOf(variant), only: numbers, traced: true });
  say(trace.join("\n"));
  say(violations.length === 0 ? "nothing is wrong" : `WRONG:\n${violations.join("\n")}`);
  return violations.length === 0 ? 0 : 1;
}

async function playVariants(first: number, schedules: number): Promise<number> {
  let missed = 0;
  say("| variant | schedules until it was caught | as |\n|---|--:|---|");
  for (const variant of Object.keys(variants)) {
    const { schedules: took, wrong } = await play(first, schedules, variant);
    if (!wrong) missed++;
    say(
      `| ${variant} | ${wrong ? took : "NOT CAUGHT"} | ${wrong?.violations[0]?.replaceAll(/[A-C]\.\d+-\d+/g, "#") ?? ""} |`,
    );
  }
  return missed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const values = askedFor(`${HELP}\nvariants:\n${Object.keys(variants).join("\n")}\n`, {
    schedules: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    variant: { type: "string" },
    variants: { type: "boolean", default: false },
    only: { type: "string" },
  });
  const schedules = wholeNumber("schedules", values.schedules, 1_000_000_000);
  const seed = wholeNumber("seed", values.seed, 2 ** 32 - 1);
  const workers = wholeNumber("workers", values.workers, 64);
  if (values.variant !== undefined && !variants[values.variant]) {
    throw new WrongOption(`--variant: no variant is named "${values.variant}"; --help lists them`);
  }
  if (values.only !== undefined) return replay(seed, values.only, values.variant);
  if (values.variants) return playVariants(seed, schedules);
  const total = await playAll(seed, schedules, workers, values.variant);
  say(table(total.cells));
  const empty = emptyCells(total.cells);
  say(`\n${empty.length} cells are empty${empty.length > 0 && empty.length < 60 ? `:\n${empty.join("\n")}` : ""}`);
  const wrongly = wronglyImpossible(total.cells);
  if (wrongly.length > 0)
    say(`\n${wrongly.length} cells are said to be impossible and were filled:\n${wrongly.join("\n")}`);
  say(`\nanswers:\n${[...total.answers].map(([what, times]) => `${times} ${what}`).join("\n")}`);
  say(`\n${total.schedules} schedules, ${total.commits} commits that charge, seeds from ${seed}`);
  await tellWrong(total, values.variant);
  if (total.wrong || wrongly.length > 0) return 1;
  say("nothing is wrong");
  return total.schedules >= COVERED_FROM && empty.length > 0 ? 1 : 0;
}

if (isMainThread) {
  await runProgram(async () => {
    process.exitCode = await main();
  });
} else work(workerData as Given);
