import { askedFor, runProgram, wholeNumber } from "../../.tools/asked.ts";
import { startEmbedded } from "../../services/pdp/src/stores/embedded.ts";
import { migrate } from "../../services/pdp/src/stores/migrate.ts";
import { houseOn, start } from "../scale/src/house.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { ms, rate, table } from "../src/run/table.ts";
import { outcome, outcomeTable } from "../src/targets.ts";
import { type Fleet, type Propagation, propagate, type Swapping, settle, swap } from "./src/parts.ts";
import { wayTo } from "./src/unheard.ts";

const help = `Usage: npm run bench:freshness -- [options]

How long a change of the policies takes until every one of three replicas decides by it, under load, with the hints of
NOTIFY and without; and what decisions take while 40,000 rules are put in force again and again. About 8 minutes.

  --quick         few trials and rules: does it work, not how fast is it
  --parts LIST    of propagation,swap (default: both)
  --trials N      changes of the policies (default 500)
  --load N        calls in flight at each replica (default 2)
  --seconds S     each phase of the swap, quiet and swapping (default 60)
  --out FILE      where the JSON goes (default: bench/results/freshness-<time>.json)
  --help          this text
`;

const values = askedFor(help, {
  quick: { type: "boolean", default: false },
  parts: { type: "string", default: "propagation,swap" },
  trials: { type: "string" },
  load: { type: "string", default: "2" },
  seconds: { type: "string" },
  out: { type: "string" },
});

const REPLICAS = 3;
const propagatedMsMax = 250;
const swapRatioMax = 2;

/** A database of its own, and replicas on it. */
async function withFleet<Answer>(
  bench: Bench,
  hints: boolean,
  work: (fleet: Fleet) => Promise<Answer>,
): Promise<Answer> {
  const postgres = await startEmbedded({ durable: true });
  try {
    await migrate({ url: postgres.ownerUrl });
    const way = await wayTo(postgres.runtimeUrl, hints);
    const house = houseOn({ ...postgres, runtimeUrl: way.url }, bench);
    const first = await start(house);
    const others = await Promise.all(Array.from({ length: REPLICAS - 1 }, () => start(house, first.ownerKey)));
    const replicas = [first, ...others];
    const answer = await work(await settle(replicas, first.ownerKey));
    await Promise.all(replicas.map((replica) => replica.stop()));
    way.close();
    return answer;
  } finally {
    await postgres.stop();
  }
}

function propagationTable(rows: readonly (readonly [string, Propagation])[]): string {
  const head = ["a change of the policies", "from", "p50 ms", "p99 ms", "max ms", "trials"];
  return table(
    head,
    rows.flatMap(([what, { acknowledged, sent }]) =>
      [["acknowledged", acknowledged] as const, ["sent", sent] as const].map(([from, { p50, p99, max, count }]) => [
        ...[from === "acknowledged" ? what : "", from, ms(p50), ms(p99), ms(max), rate(count)],
      ]),
    ),
  );
}

function swapTable({ quiet, swapping, swaps, rules }: Swapping): string {
  const row = (what: string, { p50, p99, max, count, refused }: Swapping["quiet"]) => [
    ...[what, "", ms(p50), ms(p99), ms(max), rate(count), rate(refused)],
  ];
  const during = `${rate(rules)} rules swapped ${swaps} times`;
  return table(
    ["Decide", "", "p50 ms", "p99 ms", "max ms", "calls", "refused"],
    [row("quiet", quiet), row(during, swapping)],
  );
}

async function measure(bench: Bench): Promise<void> {
  const machine = describeMachine(new Date());
  const trials = wholeNumber("trials", values.trials ?? (values.quick ? "20" : "500"), 100_000);
  const load = wholeNumber("load", values.load, 64);
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick ? "3" : "60"), 600);
  const rules = values.quick ? 2_000 : 40_000;
  const parts = values.parts.split(",");
  bench.say(machineLine(machine, bench.cores));
  const outcomes: ReturnType<typeof outcome>[] = [];
  const propagations: (readonly [string, Propagation])[] = [];
  if (parts.includes("propagation")) {
    for (const hints of [true, false]) {
      const what = hints ? "with hints" : "by the poll alone";
      const found = await withFleet(bench, hints, (fleet) => propagate(fleet, trials, load));
      propagations.push([what, found]);
      const share = found.acknowledged.p99 / 1000 / propagatedMsMax;
      outcomes.push(outcome(`p99 of ${propagatedMsMax} ms, ${what}`, { atMost: 1 }, share));
    }
    bench.say(`\n${propagationTable(propagations)}`);
  }
  let swapped: Swapping | undefined;
  if (parts.includes("swap")) {
    swapped = await withFleet(bench, true, (fleet) => swap(fleet, rules, seconds, load));
    bench.say(`\n${swapTable(swapped)}`);
    outcomes.push(outcome("p99 swapping / quiet", { atMost: swapRatioMax }, swapped.swapping.p99 / swapped.quiet.p99));
  }
  bench.say(`\n${outcomeTable(outcomes)}`);
  const result = { machine, method: { replicas: REPLICAS, trials, load, seconds }, propagations, swapped, outcomes };
  bench.say(`\nwritten to ${await writeResult("freshness", machine.at, values.out, result)}`);
}

await runProgram(() => withBench(undefined, measure));
