import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { table } from "../src/run/table.ts";
import { type Case, documents, inputs } from "./catalogue.ts";
import { type Held, held } from "./turns.ts";

const help = `Usage: npm run bench:hold -- [options]

The longest that hostile documents and inputs at the limits hold the thread: once in a fresh process (cold) and again in
one that has done the same before (warm). CPU time, wall clock, and the longest collection of garbage in between.

  --only TEXT   cases whose name has it
  --help        this text
`;

const warmRounds = 12;
const cases: Readonly<Record<string, readonly Case[]>> = { documents, inputs };

/** In this process: the first time, and the worst but one of the later ones, whose code is compiled. */
async function measure({ make }: Case): Promise<{ readonly cold: Held; readonly warm: Held }> {
  const cold = await held(make());
  let rounds: Held[] = [];
  const until = performance.now() + 4_000;
  while (rounds.length < warmRounds && performance.now() < until) rounds.push(await held(make()));
  rounds = rounds.slice(rounds.length >> 1).sort((one, other) => one.cpuMs - other.cpuMs);
  return { cold, warm: rounds[rounds.length >> 1] ?? cold };
}

const ms = (value: number) => value.toFixed(1);
const row = (name: string, { cold, warm }: { cold: Held; warm: Held }) => [
  ...[name, String(cold.turns)],
  ...[cold, warm].flatMap(({ cpuMs, wallMs, gcMs }) => [ms(cpuMs), ms(wallMs), ms(gcMs)]),
];

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    child: { type: "string" },
  },
});

async function child(place: string): Promise<void> {
  const [kind = "", at = "0"] = place.split("/");
  const one = cases[kind]?.[Number(at)];
  if (one) console.log(JSON.stringify(await measure(one)));
}

function all(): void {
  for (const [kind, list] of Object.entries(cases)) {
    const rows: string[][] = [];
    for (const [at, { name }] of list.entries()) {
      if (!name.includes(values.only)) continue;
      const script = fileURLToPath(import.meta.url);
      const { stdout, stderr } = spawnSync(process.execPath, [script, "--child", `${kind}/${at}`], {
        encoding: "utf8",
      });
      if (stdout === "") throw new Error(`${name}: ${stderr}`);
      rows.push(row(name, JSON.parse(stdout)));
    }
    const columns = ["cold cpu", "wall", "gc", "warm cpu", "wall", "gc"];
    console.log(`\n${table([kind, "turns", ...columns.map((column) => `${column} ms`)], rows)}`);
  }
}

if (values.help) process.stdout.write(help);
else if (values.child !== undefined) await child(values.child);
else all();
