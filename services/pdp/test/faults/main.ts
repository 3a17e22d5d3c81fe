import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { askedFor, runProgram, WrongOption, wholeNumber } from "../../../../.tools/asked.ts";
import { startEmbedded } from "../../src/stores/embedded.ts";
import { migrate } from "../../src/stores/migrate.ts";
import { insertTenant } from "../ledger/postgres.ts";
import { seeded } from "../ledger/scheduler.ts";
import { brokenPromises, planItinerary } from "./itinerary.ts";
import { PLAGUES } from "./plagues.ts";
import { rehearse } from "./rehearse.ts";
import { startRestartable } from "./restartable.ts";
import { BEFALLS, REVOKED, revokeUnderLoad } from "./revoke.ts";
import { startSmallDisk } from "./small-disk.ts";
import { spendTogether } from "./spend-together.ts";
import { storm } from "./storm.ts";
import { changeTogether, MISHAPS } from "./together.ts";
import { faultNames } from "./torment.ts";

const HELP = `Torments three replicas on one Postgres under load, then audits what they answered against what they recorded.

  npm run faults -- --seconds 120 --seed 7
  npm run faults -- --fault killed --fault "backends ended"
  npm run faults -- --revocations 400 of every kind in turns, one member paused or cut off meanwhile
  npm run faults -- --changes 500 --seconds 120  policies, revocations and halts; replicas paused, Postgres restarted
  npm run faults -- --budgets 150       callers share budgets of four levels while everything that can befall them does,
                                        once at least and for 150 s at least, in an order of the seed: see README.md
  npm run faults -- --budgets 1 --plague "disk full" --plague "Postgres killed"   these alone
  npm run faults -- --budgets 150 --logs DIRECTORY   what the processes say is written there
  npm run faults -- --fences 5000     writers shut out in the middle of their statements, in one process
`;

const values = askedFor(HELP, {
  seconds: { type: "string", default: "60" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  fault: { type: "string", multiple: true, default: faultNames },
  fences: { type: "string" },
  revocations: { type: "string" },
  changes: { type: "string" },
  budgets: { type: "string" },
  plague: { type: "string", multiple: true, default: [] },
  logs: { type: "string" },
});

const SEED_MAX = 2 ** 32 - 1;
const SECONDS_MAX = 24 * 3600;
const TIMES_MAX = 1_000_000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

function verdict(wrong: readonly string[]): number {
  say(wrong.length === 0 ? "nothing is wrong" : `WRONG:\n${wrong.join("\n")}`);
  return wrong.length === 0 ? 0 : 1;
}

/** So many revocations, every kind under everything that befalls a member. */
async function revocations(runtimeUrl: string, times: number, random: () => number): Promise<readonly string[]> {
  let made = 0;
  const next = () => {
    if (made >= times) return null;
    const [kind, befalls] = [
      REVOKED[made % REVOKED.length],
      BEFALLS[Math.floor(made / REVOKED.length) % BEFALLS.length],
    ];
    made++;
    return kind && befalls ? { kind, befalls } : null;
  };
  const seen = await revokeUnderLoad({ runtimeUrl, random, next });
  const sorted = [...seen.acknowledgedMs].sort((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * sorted.length)] ?? sorted.at(-1) ?? 0).toFixed(1));
  const { answered } = seen;
  const figures = {
    ...{ answeredToOthers: answered, acknowledgedMs: { p50: at(0.5), p99: at(0.99), most: at(1) } },
    revoked: Object.fromEntries(seen.revoked),
    sentBefore: Object.fromEntries(seen.before),
    sentLater: Object.fromEntries(seen.later),
  };
  say(JSON.stringify(figures, null, 2));
  return seen.wrong;
}

/** So many changes or so many seconds, whatever is more, with one mishap after another. */
async function changes(times: number, seconds: number, seed: number): Promise<readonly string[]> {
  await using postgres = await startRestartable({ durable: true });
  const random = seeded(seed);
  const endMs = performance.now() + seconds * 1000;
  const next = () => {
    const mishap = MISHAPS[Math.floor(random() * MISHAPS.length)];
    return performance.now() < endMs && mishap ? { mishap, member: Math.floor(random() * 3) } : null;
  };
  const seen = await changeTogether({ postgres, random: seeded(seed + 1), changes: times, next, say });
  const { wrong, ...counts } = seen;
  const figures = {
    ...counts,
    changes: Object.fromEntries(seen.changes),
    mishaps: Object.fromEntries(seen.mishaps),
    errors: Object.fromEntries(seen.errors),
  };
  say(JSON.stringify(figures, null, 2));
  return wrong;
}

const DISK_MIB = 600;
/** What nobody recovers from in this time nobody recovers from. */
const PLAGUE_MS_MAX = 900_000;

/** Ends this process when nothing was said for too long. */
function impatient(isOver: () => boolean) {
  let timer: NodeJS.Timeout | undefined;
  return (line: string) => {
    say(line);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (isOver()) return;
      say(`WRONG:\n"${line}" did not come to its end within ${PLAGUE_MS_MAX / 1000} s`);
      process.exit(1);
    }, PLAGUE_MS_MAX).unref();
  };
}

/** Everything once that can befall spenders on this machine, and again until so many seconds are over. */
async function budgets(seconds: number, seed: number, only: readonly string[]): Promise<readonly string[]> {
  const disk = await startSmallDisk(DISK_MIB);
  const impossible = "impossible" in disk ? disk.impossible : undefined;
  if (impossible) say(`"disk full" is left out: ${impossible}`);
  await using postgres = "impossible" in disk ? await startRestartable({ durable: true }) : disk;
  const random = seeded(seed);
  const startedMs = performance.now();
  const possible = PLAGUES.filter(
    (name) => (name !== "disk full" || !impossible) && (only.length === 0 || only.includes(name)),
  );
  const plan = planItinerary(possible, random, () => performance.now() - startedMs >= seconds * 1000);
  say(`promised: ${plan.promised.join("; ")}`);
  const next = () => {
    const plague = plan.next();
    return plague ? { plague, member: Math.floor(random() * 3) } : null;
  };
  let isOver = false;
  const hear = (member: string, line: string) => {
    if (values.logs !== undefined) appendFileSync(join(values.logs, `${seed}-${member}.log`), `${line}\n`);
  };
  const seen = await spendTogether({ postgres, random: seeded(seed + 1), next, say: impatient(() => isOver), hear });
  isOver = true;
  const { wrong, ...figures } = seen;
  const counted = Object.entries(figures).map(([name, value]) => [
    ...[name, value instanceof Map ? Object.fromEntries(value) : value],
  ]);
  say(JSON.stringify(Object.fromEntries(counted), null, 2));
  say(`promised ${plan.promised.length} kinds, ${seen.plagues.size} happened, ${sum(seen.plagues)} times in all`);
  say(`Postgres was stuck and started anew ${postgres.startedAnew()} times`);
  say(`seed ${seed}, ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return [...wrong, ...brokenPromises(plan.promised, seen.plagues)];
}

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((all, count) => all + count, 0);

/** What befalls nobody would let a run find nothing wrong. */
function requireKnown(option: string, named: readonly string[], known: readonly string[]): void {
  const unknown = named.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new WrongOption(`--${option} takes one of ${known.join(", ")}, not "${unknown}"`);
}

async function main(): Promise<number> {
  const seed = wholeNumber("seed", values.seed, SEED_MAX);
  const seconds = wholeNumber("seconds", values.seconds, SECONDS_MAX);
  requireKnown("fault", values.fault, faultNames);
  requireKnown("plague", values.plague, PLAGUES);
  const random = seeded(seed);
  const chance = seeded(seed + 1);
  if (values.budgets !== undefined) {
    say(`seed ${seed}`);
    return verdict(await budgets(wholeNumber("budgets", values.budgets, SECONDS_MAX), seed, values.plague));
  }
  if (values.changes !== undefined) {
    say(`seed ${seed}`);
    return verdict(await changes(wholeNumber("changes", values.changes, TIMES_MAX), seconds, seed));
  }
  const postgres = await startEmbedded({ durable: true });
  try {
    await migrate({ url: postgres.ownerUrl });
    const { runtimeUrl, superuserUrl } = postgres;
    say(`seed ${seed}`);
    if (values.fences !== undefined) {
      const fences = wholeNumber("fences", values.fences, TIMES_MAX);
      await insertTenant(postgres);
      const { wrong, ...figures } = await storm({ runtimeUrl, superuserUrl, random, fences });
      say(JSON.stringify(figures, null, 2));
      return verdict(wrong);
    }
    if (values.revocations !== undefined) {
      const times = wholeNumber("revocations", values.revocations, TIMES_MAX);
      return verdict(await revocations(runtimeUrl, times, random));
    }
    const endMs = performance.now() + seconds * 1000;
    const next = () => {
      if (performance.now() >= endMs) return null;
      const named = values.fault[Math.floor(random() * values.fault.length)];
      const fault = faultNames.find((name) => name === named);
      return fault ? { fault, member: Math.floor(random() * 3) } : null;
    };
    const { wrong, faults, errors, shutOutMs, ...counts } = await rehearse({
      runtimeUrl,
      superuserUrl,
      random: chance,
      next,
      say,
    });
    const figures = { ...counts, faults: Object.fromEntries(faults), errors: Object.fromEntries(errors) };
    say(JSON.stringify(figures, null, 2));
    say(`shut out after, in ms: ${[...shutOutMs].sort((a, b) => a - b).join(", ")}`);
    return verdict(wrong);
  } finally {
    await postgres.stop();
  }
}

// A signal alone would end this process and leave its services behind: what ends them hangs on an orderly exit.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
await runProgram(async () => {
  const code = await main();
  // Connections of callers to members that are gone are not waited for.
  process.stdout.write("", () => process.exit(code));
});
