import type { NewRecord } from "../../src/ledger/index.ts";
import { seeded } from "../ledger/scheduler.ts";
import { aimOf, createAmbush } from "./ambush.ts";
import { createCallers, type Habit } from "./callers.ts";
import { type Befallen, drawn, faults, pick } from "./faults.ts";
import { createHouse } from "./house.ts";
import { labelOf } from "./labels.ts";
import { createOracle } from "./oracle.ts";
import { compileProduct, createAskers, DECLARED, type Given, SESSIONS, SHOPS } from "./product.ts";
import type { Rules } from "./rules.ts";
import { saidBy } from "./said.ts";
import { createScheduler } from "./scheduler.ts";
import { type Committed, openAccount, type StoreState } from "./store-model.ts";
import { createWorld } from "./world.ts";
import { TENANT } from "./world-port.ts";

export interface Simulated {
  readonly violations: readonly string[];
  /** How often each fault befell each step that was under way, as `fault × step`. */
  readonly cells: ReadonlyMap<string, number>;
  readonly answers: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  /** Commits with a charge. */
  readonly commits: number;
}

interface Options {
  readonly rules: Rules;
  /** Of what is planned: only these happen. Undefined: all. */
  readonly only?: ReadonlySet<number> | undefined;
  readonly traced?: boolean;
}

const TURNS_MAX = 30_000;
/** What a schedule plans: calls, and what befalls them; the last is what it aims at. */
export const PLANNED = 17;
/** How long callers and the schedule wait for the step that it aims at. */
const MOMENT_TURNS_MAX = 80;
const AFTER_TURNS_MAX = 160;
/** How likely something that leads there befalls the house on each of these turns. */
const LEADS_SHARE = 0.06;
const ONE = 1_000_000n;
const MINUTE_MS = 60_000;
let product: Awaited<ReturnType<typeof compileProduct>> | undefined;

/** What was delegated, each with an account and a limit of its own. */
function giveOut(state: StoreState, random: () => number): Given {
  const given = SESSIONS.slice(1).map((session) => {
    const limit = BigInt(10 + Math.floor(random() * 25)) * ONE;
    const opening = { tenant: TENANT, budget: null, key: session, unit: "EUR", hard: true, ownLimit: limit };
    const always = { opensAtMs: Number.NEGATIVE_INFINITY, closesAtMs: Number.POSITIVE_INFINITY };
    return [session, { account: openAccount(state, { ...opening, ...always }).id, limit }] as const;
  });
  return new Map(given);
}

function toolFrom(random: () => number, asksShare: number): Habit["tool"] {
  if (random() < asksShare) return "asks";
  const share = random();
  return share < 0.15 ? "tried" : share < 0.3 ? "booked" : share < 0.42 ? "free" : "plain";
}

function habitFrom(random: () => number, asksShare: number): Habit {
  const euros = BigInt(1 + Math.floor(random() * 9)) * ONE;
  const share = random();
  const over = share < 0.95 ? euros + ONE : 2n * euros;
  const spent = share < 0.1 ? 0n : share < 0.35 ? euros / 2n : share < 0.8 ? euros : over;
  return {
    tool: toolFrom(random, asksShare),
    session: pick(random, SESSIONS) ?? "",
    shop: pick(random, SHOPS) ?? "",
    estimate: new Map([
      ["EUR", euros],
      ["calls", ONE],
    ]),
    costs: new Map([
      ["EUR", spent],
      ["calls", ONE],
    ]),
    random,
  };
}

/** What a commit did with each of its records. */
function sayCommit(batch: readonly NewRecord[], committed: Committed): string[] {
  return batch.map((record) => {
    const { effect, mode, reason, call, decision, outcome } = saidBy(record);
    const left = committed.failed === undefined ? committed.left.get(record.id) : undefined;
    const became =
      left?.why === "short" ? left.shorts.map(({ account, why }) => `${account} ${why}`).join() : left?.why;
    const moves = record.charge?.moves.map(
      ({ account, held, posted, overage }) => `${account}:${held}/${posted}/${overage}`,
    );
    const step = record.charge?.hold;
    const about = [call?.id, effect, mode === "observed" && mode, reason?.code, decision, outcome, step?.step]
      .filter(Boolean)
      .join(" ");
    return `# ${record.id} ${labelOf(record)} ${about} [${moves?.join(" ") ?? ""}] ${became ?? "inserted"}`;
  });
}

/** One schedule: what happens, and in which order, follows from the seed. */
export async function simulate(seed: number, { rules, only, traced = false }: Options): Promise<Simulated> {
  product ??= await compileProduct();
  const random = seeded(seed);
  const scheduler = createScheduler(random, traced);
  let commits = 0;
  const world = createWorld(rules, scheduler, DECLARED, (batch, committed, place) => {
    if (batch.some(({ charge }) => charge)) commits++;
    if (traced) for (const line of sayCommit(batch, committed)) scheduler.trace.push(line);
    oracle.committed(batch, committed, place);
  });
  const given = giveOut(world.state, random);
  const oracle = createOracle(world, given);
  for (const { name, unit } of DECLARED) {
    const limit =
      unit === "calls" ? BigInt(4 + Math.floor(random() * 12)) * ONE : BigInt(8 + Math.floor(random() * 30)) * ONE;
    world.state.budgets.set(`${TENANT}/${name}`, { tenant: TENANT, name, limit, frozen: false });
  }
  const replicas = 2 + (seed % 2);
  const house = createHouse({
    scheduler,
    world,
    random: seeded(seed ^ 0x5bd1),
    product,
    mangle: rules.mangle,
    replicas,
    askers: createAskers(given),
  });
  const cells = new Map<string, number>();
  const befell = (fault: string, steps: readonly string[] = scheduler.underWay()) => {
    if (traced) scheduler.trace.push(`! ${fault}`);
    for (const step of new Set(steps)) {
      const cell = `${fault} × ${step}`;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    }
  };
  const aim = only && !only.has(PLANNED - 1) ? null : aimOf(seed);
  const leads = aim?.leads ?? [];
  const callers = createCallers({
    ...{ scheduler, house, oracle, nowMs: world.nowMs },
    befell: async (fault) => {
      if (aim?.faults.includes(fault)) await scheduler.until(aim.step, MOMENT_TURNS_MAX);
      befell(fault);
    },
    odds: (fault, usually) => {
      const isAimed = aim?.faults.includes(fault) || leads.includes(fault);
      return isAimed ? Math.max(usually, 0.6) : usually;
    },
  });
  const asksShare = leads.includes("asks people") ? 0.8 : 0.3;
  const leadingFaults = leads.filter((fault) => faults[fault]);
  const calm = seed % 10 === 0;

  const strike = (name: string, own: () => number, whom?: Pick<Befallen, "prefer" | "spare">) => {
    const before = new Map(house.slots.map((slot) => [slot, scheduler.underWay(slot.replica)]));
    const all = scheduler.underWay();
    const from: Befallen = { world, house, scheduler, declared: DECLARED, random: own, ...whom };
    const befallen = faults[name]?.(from);
    if (befallen !== null) befell(name, befallen ? before.get(befallen) : all);
  };
  const struck = seeded(seed ^ 0x77a3);
  const ambush =
    aim && !calm
      ? createAmbush({
          aim,
          scheduler,
          house,
          random: struck,
          strike: (fault, whom) => strike(fault, struck, whom),
        })
      : () => false;

  const act = (number: number) => {
    const own = seeded(seed * 1_009 + number);
    if (own() < 0.5) {
      void callers.make(`call-${number}`, habitFrom(own, asksShare));
      return;
    }
    if (calm) return;
    strike(pick(own, own() < 0.4 && leadingFaults.length > 0 ? leadingFaults : drawn) ?? "", own);
  };
  const quiet = async () => {
    for (let turn = 0; turn < TURNS_MAX && (await scheduler.turn()); turn++);
  };

  for (let turn = 0; turn < 8; turn++) await scheduler.turn();
  for (let number = 0; number < PLANNED - 1; ) {
    if (random() < 0.25) {
      if (!only || only.has(number)) act(number);
      number++;
    }
    ambush();
    await scheduler.turn();
  }
  for (let turn = 0; turn < AFTER_TURNS_MAX && (ambush() || leads.length > 0); turn++) {
    const lead = aim && !calm && struck() < LEADS_SHARE ? pick(struck, leadingFaults) : undefined;
    if (lead) strike(lead, struck);
    await scheduler.turn();
  }
  // From here on nothing befalls anybody, and everything must come to its end.
  world.heal();
  world.set({ suspended: false, watched: false });
  scheduler.calm();
  for (const { name } of DECLARED) {
    const key = `${TENANT}/${name}`;
    const budget = world.state.budgets.get(key) ?? { tenant: TENANT, name, limit: 20n * ONE, frozen: false };
    world.state.budgets.set(key, { ...budget, frozen: false });
  }
  for (const slot of house.slots) {
    Object.assign(slot.replica, { reaches: true, skewMs: 0 });
    if (slot.replica.state === "paused") slot.replica.state = "running";
  }
  await quiet();
  for (const slot of house.slots) {
    slot.replica.state = "dead";
    scheduler.forget(slot.replica);
    house.replace(slot);
  }
  await quiet();
  const violations = [...(await end())];
  return { violations, cells, answers: callers.answers, trace: scheduler.trace, commits };

  async function end(): Promise<string[]> {
    const wrong: string[] = [];
    for (let round = 0; round < 6 && world.state.holds.size > 0; round++) {
      world.leap(8 * MINUTE_MS);
      // At first two at once, as replicas do.
      for (const { front } of house.slots.slice(0, round === 0 ? 2 : 1)) void front.sweep().catch(() => {});
      await quiet();
    }
    if (world.state.holds.size > 0) wrong.push("a hold never ends");
    callers.settleAll();
    await quiet();
    for (const debt of callers.debts)
      if (!debt.paid) wrong.push(`${debt.truth.call}: its report (${debt.told.outcome}) is never taken`);
    wrong.push(...oracle.unsettled(callers.debts));
    for (const id of house.denied)
      if (world.state.records.has(id)) wrong.push(`${id} was said not to be recorded, and is`);
    return [...oracle.violations, ...world.wrong, ...wrong];
  }
}
