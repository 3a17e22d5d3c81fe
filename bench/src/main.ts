import { startEcho } from "./echo/subject.ts";
import { measureGuarded, measureLane, type RunOnce } from "./experiments.ts";
import { h2loadAbsent, h2loadVersion } from "./load/h2load.ts";
import type { Load } from "./load/spec.ts";
import { help, lanes, type Options, parseOptions } from "./options.ts";
import { benchTool } from "./remit/payments.ts";
import { startRemit } from "./remit/subject.ts";
import type { Comparison } from "./run/compare.ts";
import { secondOpinion } from "./run/h2load-check.ts";
import { describeMachine, machineLine } from "./run/machine.ts";
import { measure } from "./run/measure.ts";
import { type Bench, withBench, writeResult } from "./run/session.ts";
import type { Subject } from "./run/subject.ts";
import { companyLine, comparisonTable, ms, rate } from "./run/table.ts";
import { judge, outcomeTable } from "./targets.ts";

// Brings the measured call's entry to about 2 KB.
const fillerBytes = 340;

async function run(bench: Bench, options: Options): Promise<void> {
  const machine = describeMachine(new Date());
  bench.say(machineLine(machine, bench.cores));
  const echo = await startEcho(bench.processes, bench.cores.server, benchTool, fillerBytes);
  const { profileFolder } = options;
  const remit = await startRemit(bench.processes, bench.cores.server, `${bench.folder}/remit`, fillerBytes, {
    profileFolder,
  });
  bench.say(`a measured Decide leaves an entry of ${remit.entryBytes} bytes`);
  const subjects: Subject[] = [echo, remit];
  const phases = { warmupMs: options.warmupMs, durationMs: options.durationMs };
  const runOnce: RunOnce = (subject, lane, load) =>
    measure(bench.processes, bench.cores.client, `${subject.name}, ${lane}`, subject.spec(lane, load, phases));

  const comparisons: Comparison[] = [];
  for (const lane of lanes.filter((name) => options.parts.includes(name)))
    comparisons.push(
      ...(await measureLane(lane, subjects, options, runOnce, ({ title }) => bench.say(`  measured ${title}`))),
    );
  if (options.parts.includes("sdk")) {
    const guarded = (load: Load) =>
      measure(bench.processes, bench.cores.client, "the SDK", remit.guarded(load, phases));
    comparisons.push(...(await measureGuarded(options, guarded)));
    bench.say("  measured the SDK");
  }
  const h2load = options.parts.includes("h2load") ? await checkClient(bench, options, echo, runOnce) : undefined;

  const outcomes = judge(comparisons);
  bench.say(`\n${comparisonTable(comparisons)}`);
  if (comparisons.length > 0) bench.say(companyLine(comparisons));
  if (outcomes.length > 0) bench.say(`\n${outcomeTable(outcomes)}`);
  if (h2load !== undefined) bench.say(`\n${h2load}`);
  const method = {
    ...phases,
    rounds: options.rounds,
    cores: bench.cores.note,
    profiled: options.profileFolder !== undefined,
    fillerBytes,
    entryBytes: remit.entryBytes,
  };
  const result = { machine, method, comparisons, outcomes, h2load: h2load ?? null };
  bench.say(`\nwritten to ${await writeResult("bench", machine.at, options.out, result)}`);
}

/** The echo driven by h2load and by our own client: whether it is the client that is measured. */
async function checkClient(bench: Bench, options: Options, echo: Subject, runOnce: RunOnce): Promise<string> {
  if (h2loadVersion() === undefined) return h2loadAbsent;
  const phases = { warmupMs: options.warmupMs, durationMs: options.durationMs };
  const inFlight = 32;
  const load = { kind: "closed", inFlight } as const;
  const ours = await runOnce(echo, "unary", load);
  const theirs = await secondOpinion(
    bench.processes,
    bench.cores,
    echo.spec("unary", load, phases),
    inFlight,
    bench.folder,
  );
  return (
    `echo, unary gRPC, ${inFlight} in flight, by ${h2loadVersion()}: ${rate(theirs.perSecond)}/s, p50 ${ms(theirs.latencyUs.p50)} ms;` +
    ` by our own client: ${rate(ours.perSecond)}/s, p50 ${ms(ours.latencyUs.p50)} ms`
  );
}

const options = process.argv[2] === "engines" ? undefined : parseOptions(process.argv.slice(2));
if (options === undefined) await import("../engines/main.ts");
else if (typeof options === "string") {
  process.stderr.write(`${options}\n\n${help}`);
  process.exitCode = 2;
} else if (options.help) process.stdout.write(help);
else await withBench(options.serverCores, (bench) => run(bench, options));
