import { askedFor, runProgram, wholeNumber } from "../../.tools/asked.ts";
import { startEmbedded } from "../../services/pdp/src/stores/embedded.ts";
import { migrate } from "../../services/pdp/src/stores/migrate.ts";
import { keeps } from "../src/load/statistics.ts";
import { benchAgentName } from "../src/remit/payments.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { type Bench, withBench, writeResult } from "../src/run/session.ts";
import { ms, rate, table } from "../src/run/table.ts";
import { addAgents, addSessions } from "./src/crowd.ts";
import { houseOn } from "./src/house.ts";
import type { Memory } from "./src/memory.ts";
import { prove } from "./src/prove.ts";
import { type ColdAndWarm, coldAndWarm, fill, found, type Woken, wake } from "./src/stages.ts";

const help = `Usage: npm run bench:scale -- [options]

What many agents, sessions and chains of delegations cost: memory, the first call of a session that nothing is known of,
and the time from a start to the first answer. About 10 minutes; the disk needs 3 GB.

  --quick       a hundredth of everything: does it work, not what it costs
  --memory      only what has a bound: 10,000 rules, 10,000 agents, 100,000 sessions, all of them alive; 3 minutes
  --out FILE    where the JSON goes (default: bench/results/scale-<time>.json)
  --help        this text
`;

const values = askedFor(help, {
  quick: { type: "boolean", default: false },
  out: { type: "string" },
  links: { type: "string", default: "8" },
  memory: { type: "boolean", default: false },
});

/** Of `performance.md`: 10,000 rules, 10,000 agents and 100,000 living sessions. */
const residentMiBMax = 512;
const share = values.quick ? 100 : 1;
const crowd = {
  rules: 10_000 / share,
  agents: 10_000 / share,
  agentsMany: 100_000 / share,
  sessions: (values.memory ? 100_000 : 1_000_000) / share,
  live: 100_000 / share,
  chains: 1_000 / share,
};
const sample = 2_000 / share;
/** Calls that a started process is asked before any is counted. */
const warmUp = 1_000 / share;

interface Stage extends Woken {
  readonly agents: number;
  readonly filled: Memory;
}

function stageTable(empty: { listeningMs: number; memory: Memory }, stages: readonly Stage[]): string {
  const mib = (value: number) => rate(value);
  const row = (what: string, woken: Partial<Woken> & { memory: Memory }, filled?: Memory) => [
    what,
    "",
    rate(woken.listeningMs ?? Number.NaN),
    woken.firstCallMs === undefined ? "-" : rate(woken.firstCallMs),
    mib(woken.memory.residentMiB),
    filled ? mib(filled.residentMiB) : "-",
    filled ? mib(filled.peakMiB) : "-",
  ];
  const head = ["in the store", "", "listens ms", "first call ms", "MiB then", "MiB, all live", "peak MiB"];
  const rows = stages.map((stage) => row(`${rate(stage.agents)} agents`, stage, stage.filled));
  return table(head, [row("nothing", empty), ...rows]);
}

function latencyTable(rows: readonly (readonly [string, ColdAndWarm])[]): string {
  const head = ["a session's call", "", "p50 ms", "p99 ms", "calls"];
  return table(
    head,
    rows.flatMap(([what, { cold, warm }]) =>
      [["first", cold] as const, ["second", warm] as const].map(([which, { p50, p99, count }]) => [
        ...[which === "first" ? what : "", which, ms(p50), ms(p99), rate(count)],
      ]),
    ),
  );
}

async function measure(bench: Bench): Promise<void> {
  const links = wholeNumber("links", values.links, 8);
  const sizes = { ...crowd, links };
  const machine = describeMachine(new Date());
  const { server, client } = bench.cores;
  const note =
    server === undefined ? bench.cores.note : `service on core ${server}, client on core ${client}, Postgres on any`;
  bench.say(machineLine(machine, { ...bench.cores, note }));
  const postgres = await startEmbedded({ durable: true });
  try {
    await migrate({ url: postgres.ownerUrl });
    const house = houseOn(postgres, bench);
    const founded = await found(house, sizes.rules, links);
    bench.say(`${rate(sizes.rules)} rules in force; ${rate(sizes.sessions)} sessions are being written`);
    const { alone, deep } = await addSessions(postgres.ownerUrl, founded.session, sizes);
    const proved = await prove(house, founded.session, [...alone, ...deep]);
    const singles = proved.slice(0, alone.length);
    const stages: Stage[] = [];
    const latencies: (readonly [string, ColdAndWarm])[] = [];
    for (const agents of values.memory ? [sizes.agents] : [sizes.agents, sizes.agentsMany]) {
      await addAgents(postgres.ownerUrl, benchAgentName, agents);
      const [first, ...rest] = singles;
      if (!first) throw new Error("no session is alive");
      const awake = await wake(house, founded, first);
      await fill(awake, rest.slice(0, warmUp));
      if (agents === sizes.agents) {
        latencies.push(["alone", await coldAndWarm(awake.asker, rest.slice(warmUp, warmUp + sample))]);
        const chained = proved.slice(alone.length);
        latencies.push([`${links} links deep`, await coldAndWarm(awake.asker, chained)]);
      }
      const filled = await fill(awake, proved);
      stages.push({
        agents,
        listeningMs: awake.listeningMs,
        firstCallMs: awake.firstCallMs,
        memory: awake.memory,
        filled,
      });
      await awake.stop();
    }
    bench.say(`\n${stageTable(founded, stages)}\n\n${latencyTable(latencies)}`);
    const resident = stages[0]?.filled.residentMiB ?? Number.NaN;
    const bound = { atMost: residentMiBMax };
    const kept = keeps(bound, resident);
    const what = `${rate(sizes.rules)} rules, ${rate(sizes.agents)} agents, ${rate(sizes.live)} living sessions`;
    bench.say(`\n${what}: ${rate(resident)} MiB resident, at most ${residentMiBMax}: ${kept ? "kept" : "NOT KEPT"}`);
    const outcomes = [{ what, bound, found: resident, kept }];
    const { listeningMs, memory } = founded;
    const result = { machine, sizes, empty: { listeningMs, memory }, stages, latencies, outcomes };
    bench.say(`\nwritten to ${await writeResult("scale", machine.at, values.out, result)}`);
  } finally {
    await bench.processes.stopAll();
    await postgres.stop();
  }
}

await runProgram(() => withBench(undefined, measure));
