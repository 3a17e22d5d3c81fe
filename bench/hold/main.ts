import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { askedFor, runProgram, WrongOption, wholeNumber } from "../../.tools/asked.ts";
import { warmUp } from "../../services/engine/src/index.ts";
import { warmUpDecisions } from "../../services/pdp/src/decisions/index.ts";
import { warmUpTokens } from "../../services/pdp/src/identities/index.ts";
import { openCollecting } from "../../services/pdp/src/server/young-heap.ts";
import { warmUpCommits } from "../../services/pdp/src/stores/warm-up.ts";
import { warmUpRequests } from "../../services/pdp/src/wire/index.ts";
import { table } from "../src/run/table.ts";
import { accounts } from "./accounts.ts";
import { answers } from "./answers.ts";
import { believed } from "./believed.ts";
import { books } from "./books.ts";
import { type Case, documents, elsewhere, inputs } from "./catalogue.ts";
import { ceilings } from "./ceilings.ts";
import { changes } from "./changes.ts";
import { crowds } from "./crowd.ts";
import { keeping } from "./keeping.ts";
import { keptAccounts } from "./kept.ts";
import { languages } from "./languages.ts";
import { listing } from "./listing.ts";
import { lists } from "./lists.ts";
import { news } from "./news.ts";
import { recorded } from "./recorded.ts";
import { requests } from "./requests.ts";
import { rules } from "./rules.ts";
import { sessions } from "./sessions.ts";
import { unasked } from "./streams.ts";
import { tokens } from "./tokens.ts";
import { told } from "./told.ts";
import { tried } from "./tried.ts";
import { type Held, held } from "./turns.ts";
import { waitingCalls } from "./waiting.ts";
import { whole } from "./whole.ts";

const help = `Usage: npm run bench:hold -- [options]

The longest that hostile documents and inputs at the limits hold the thread, each in processes of its own: where nothing
has run before (cold), after what the service runs before it is ready (ready), and where the same has run before (warm).
Of each process the longest turn; of several processes the least, CPU time and wall clock each, and the turns. Beside it
the longest turn of a thread that only counts, for as long: a virtual machine may take a turn for itself.

  --only TEXT       cases whose name has it
  --processes N     of each kind, for each case (default 3)
  --state STATE     cold, ready or warm alone
  --each            what each process found, too: which turn was the longest, and the longest collection
  --help            this text
`;

const warmRounds = 12;
const cases: Readonly<Record<string, readonly Case[]>> = {
  documents,
  languages,
  inputs,
  rules,
  tried,
  requests,
  recorded,
  keeping,
  answers,
  lists,
  whole,
  told,
  unasked,
  accounts,
  believed,
  books,
  changes,
  ceilings,
  keptAccounts,
  waitingCalls,
  crowds,
  sessions,
  listing,
  news,
  tokens,
  elsewhere,
};

/** How long the service warms up for. */
const busyMsMax = 1_000;

const states = ["cold", "ready", "warm"] as const;
type State = (typeof states)[number];

const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** In this process: the first time, or the median of later ones, whose code is compiled. */
async function measure({ make }: Case, state: State): Promise<Held> {
  if (state === "ready") {
    await warmUp(turnOfTheLoop, { busyMsMax });
    await warmUpRequests(turnOfTheLoop);
    await warmUpDecisions(turnOfTheLoop);
    await warmUpCommits(turnOfTheLoop);
    await warmUpTokens(Date.now(), turnOfTheLoop);
  }
  // The service has it, and without a warm-up nobody else.
  const compilePause = state === "cold" ? undefined : openCollecting().pause;
  const first = await held(make(), compilePause);
  if (state !== "warm") return first;
  let rounds: Held[] = [];
  const until = performance.now() + 4_000;
  while (rounds.length < warmRounds && performance.now() < until) rounds.push(await held(make(), compilePause));
  rounds = rounds.slice(rounds.length >> 1).sort((one, other) => one.wallMs - other.wallMs);
  return rounds[rounds.length >> 1] ?? first;
}

const ms = (value: number) => value.toFixed(1);
const least = (all: readonly Held[], key: "cpuMs" | "wallMs" | "machineMs") => Math.min(...all.map((one) => one[key]));

const values = askedFor(help, {
  only: { type: "string", default: "" },
  processes: { type: "string", default: "3" },
  state: { type: "string", default: "" },
  each: { type: "boolean", default: false },
  child: { type: "string" },
});

async function child(place: string): Promise<void> {
  const [kind = "", at = "0", state = ""] = place.split("/");
  const one = cases[kind]?.[Number(at)];
  if (one) console.log(JSON.stringify(await measure(one, states.find((known) => known === state) ?? "cold")));
}

/** One case in a process of its own. */
function measured(place: string, name: string): Held {
  const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--child", place], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(`${name}: ${stderr}`);
  return JSON.parse(stdout);
}

const eachLine = ({ cpuMs, wallMs, longestAt, turns, gcMs, machineMs }: Held) =>
  `  ${ms(cpuMs)} cpu ms in turn ${longestAt} of ${turns}, ${ms(wallMs)} wall, ${ms(gcMs)} collecting, ${ms(machineMs)} the machine`;

function all(): void {
  const asked = states.filter((state) => values.state === "" || state === values.state);
  if (asked.length === 0) throw new WrongOption(`--state takes one of ${states.join(", ")}, not "${values.state}"`);
  if (!Object.values(cases).some((list) => list.some(({ name }) => name.includes(values.only)))) {
    throw new WrongOption(`--only: no case has "${values.only}" in its name`);
  }
  const processes = Array.from({ length: wholeNumber("processes", values.processes, 99) });
  for (const [kind, list] of Object.entries(cases)) {
    const rows: string[][] = [];
    for (const [at, { name }] of list.entries()) {
      if (!name.includes(values.only)) continue;
      const found = asked.map((state) => processes.map(() => measured(`${kind}/${at}/${state}`, name)));
      const keys = ["cpuMs", "wallMs", "machineMs"] as const;
      const cells = found.flatMap((some) => keys.map((key) => ms(least(some, key))));
      if (values.each) console.log([name, ...found.flat().map(eachLine)].join("\n"));
      rows.push([name, String(found[0]?.[0]?.turns), ...cells]);
    }
    if (rows.length === 0) continue;
    const columns = asked.flatMap((state) => [`${state} cpu ms`, "wall ms", "machine"]);
    console.log(`\n${table([kind, "turns", ...columns], rows)}`);
  }
}

if (values.child === undefined) await runProgram(all);
else await child(values.child);
