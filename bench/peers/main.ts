import { join } from "node:path";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { measure } from "../src/run/measure.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { companyLine, ms, rate, table } from "../src/run/table.ts";
import { outcomeTable } from "../src/targets.ts";
import { cerbosPeer } from "./src/cerbos.ts";
import { type ContestResult, contest, judgeContest, type RequestSet } from "./src/contest.ts";
import { help, type PeerOptions, parsePeerOptions } from "./src/options.ts";
import { type Peer, verifyEqual } from "./src/peer.ts";
import { remitPeer } from "./src/remit.ts";
import { furtherRequests, mixedRequests, sampledSuffixes, singles } from "./src/w1.ts";

const sampledCopies = 20;

async function run(bench: Bench, options: PeerOptions): Promise<void> {
  const machine = describeMachine(new Date());
  bench.say(machineLine(machine, bench.cores));
  const { processes, cores, folder } = bench;
  const peers: Peer[] = [];
  const setUp = async (name: string, start: () => Promise<Peer>) => {
    const startMs = performance.now();
    peers.push(await start());
    bench.say(`  ${name} has W1 x ${options.copies} after ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  };
  const place = (name: string) => join(folder, name);
  await setUp("Cerbos", () => cerbosPeer(processes, cores.server, place("cerbos"), options.copies, options.audit));
  await setUp("Remit", () => remitPeer(processes, cores.server, place("remit"), options.copies, machine.commit));
  const suffixes = sampledSuffixes(options.copies, sampledCopies);
  const requests = suffixes.flatMap(mixedRequests);
  const several: RequestSet = { id: "several", title: "10 or 11 actions a request", requests };
  const one: RequestSet = { id: "one", title: "one action a request", requests: singles(requests) };

  const checked = [...several.requests, ...one.requests, ...suffixes.flatMap(furtherRequests)];
  const { actions, allowed } = await verifyEqual(peers, checked);
  bench.say(
    `W1 x ${options.copies}: ${peers.map(({ name }) => name).join(" and ")} answered ${checked.length} requests, ` +
      `${actions} actions, as the rules say: ${allowed} allowed, ${actions - allowed} denied`,
  );

  const phases = { warmupMs: options.warmupMs, durationMs: options.durationMs };
  const results: ContestResult[] = [];
  for (const set of [several, one]) {
    const result = await contest(set, peers, phases, options.rounds, (peer, spec) =>
      measure(bench.processes, bench.cores.client, `${peer.name}, ${set.title}`, spec),
    );
    results.push(result);
    bench.say(`  measured ${set.title}`);
  }
  const outcomes = results.flatMap(judgeContest);
  bench.say(`\n${resultTable(results)}`);
  bench.say(companyLine(results.flatMap(({ closed }) => closed)));
  bench.say(`\n${outcomeTable(outcomes)}`);
  const method = { ...phases, rounds: options.rounds, copies: options.copies, audit: options.audit };
  const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
  const whole = {
    machine,
    cores: bench.cores.note,
    method,
    versions,
    checked: { actions, allowed },
    results,
    outcomes,
  };
  bench.say(`\nwritten to ${await writeResult("peers", machine.at, options.out, whole)}`);
}

const head = ["requests", "peer", "most, actions/s", "requests/s", "alone p50", "alone p99", "85%: p50 ms", "p99 ms"];

function resultTable(results: readonly ContestResult[]): string {
  const rows = results.flatMap(({ title, peers }) =>
    peers.map(({ name, most, alone, loaded }, i) => [
      i === 0 ? title : "",
      name,
      rate(most.actionsPerSecond),
      rate(most.perSecond),
      ms(alone.p50),
      ms(alone.p99),
      ms(loaded.p50),
      ms(loaded.p99),
    ]),
  );
  return table(head, rows);
}

const options = parsePeerOptions(process.argv.slice(2));
if (typeof options === "string") {
  process.stderr.write(`${options}\n\n${help}`);
  process.exitCode = 2;
} else if (options.help) process.stdout.write(help);
else await withBench(options.serverCores, (bench) => run(bench, options));
