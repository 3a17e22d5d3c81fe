import { askedFor, runProgram, wholeNumber } from "../../.tools/asked.ts";
import { startEmbedded } from "../../services/pdp/src/stores/embedded.ts";
import { migrate } from "../../services/pdp/src/stores/migrate.ts";
import { describeMachine, machineLine } from "../src/run/machine.ts";
import { withBench, writeResult } from "../src/run/session.ts";
import { rate, table, times } from "../src/run/table.ts";
import { roundsOf, usualOptions } from "../src/usual-options.ts";
import { measureAcknowledged } from "./src/acknowledged.ts";
import { measureCheck } from "./src/check.ts";
import { measureCommit } from "./src/commit.ts";

const help = `Usage: npm run bench:revocation -- [options]

What revoking costs: a decision that looks at what is revoked, a commit that refuses what was judged before, and a
revocation itself until it is acknowledged. In this process, beside an embedded Postgres.

  --quick       one round of each: does it work, not how fast is it
  --rounds N    alternating runs (default 9)
  --times N     revocations that are timed, quiet and under load (default 300)
  --out FILE    where the JSON goes (default: bench/results/revocation-<time>.json)
  --help        this text
`;

const values = askedFor(help, { ...usualOptions, times: { type: "string" } });

const fixed = (value: number) => value.toFixed(2);

async function measure(rounds: number, revocations: number): Promise<void> {
  await withBench(undefined, async ({ cores, say }) => {
    const machine = describeMachine(new Date());
    say(machineLine(machine, { ...cores, note: "one process, not pinned" }));
    const check = await measureCheck(rounds);
    const beside = check.map(({ beside: what, ns, ratio }) => [what, "", ns.toFixed(0), times(ratio)]);
    say(`\n${table(["a decision beside", "", "CPU ns", "to nothing"], beside)}`);
    const postgres = await startEmbedded({ durable: true });
    try {
      await migrate({ url: postgres.ownerUrl });
      // First: a service makes its owner in an empty store alone.
      const acknowledged = await measureAcknowledged(postgres, revocations);
      const commit = await measureCommit(postgres, rounds);
      const { withMs, withoutMs, ratio } = commit;
      const row = ["32 records", "", fixed(withMs), fixed(withoutMs), times(ratio)];
      say(`\n${table(["a commit of", "", "ms", "ms, nothing refused", "ratio"], [row])}`);
      const rows = acknowledged.map((one) => [
        ...[`${one.revocations} revocations`, one.beside, fixed(one.p50Ms), fixed(one.p99Ms)],
        rate(one.decisionsPerSecond),
      ]);
      say(`\n${table(["until acknowledged", "beside", "p50 ms", "p99 ms", "decisions/s"], rows)}`);
      const method = { rounds, revocations, batchRecords: 32, cpuTimeOfTheCheck: true };
      const result = { machine, method, check, commit, acknowledged };
      say(`\nwritten to ${await writeResult("revocation", machine.at, values.out, result)}`);
    } finally {
      await postgres.stop();
    }
  });
}

await runProgram(async () => {
  const revocations = wholeNumber("times", values.times ?? (values.quick ? "10" : "300"), 10_000);
  await measure(roundsOf(values, 9), revocations);
});
