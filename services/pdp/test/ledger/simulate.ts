import { limits } from "../../src/foundation/limits.ts";
import { silentLog } from "../../src/foundation/log.ts";
import {
  createLedger,
  type Ledger,
  LedgerUnavailable,
  type NewRecord,
  type RecordOutcome,
} from "../../src/ledger/index.ts";
import { createScheduler, type Scheduler, seeded } from "./scheduler.ts";
import { createWorld, keyOf, POISON, type Row, type Rules, type World } from "./world.ts";

/** A record that somebody asked for, and what he was told. */
interface Asked {
  readonly record: NewRecord;
  told?: RecordOutcome | { readonly outcome: "refused"; readonly error: unknown };
}

export interface Simulated {
  /** What was found wrong: empty when every rule held. */
  readonly violations: string[];
  /** How often each fault, step and answer happened. */
  readonly seen: Map<string, number>;
}

const RECORDS = 40;
const KEYS = 24;
const TURNS_MAX = 20_000;
const TIME_PASSES = 0.08;
/** Every so many schedules nothing befalls the store, and so nothing may be unavailable. */
const CALM_EVERY = 5;
const REPLICAS = ["one", "two"];
/** The first asks most, so that the others have to get their turn. */
const TENANTS = ["busy", "busy", "busy", "quiet"];

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const pick = <Value>(random: () => number, from: readonly Value[]) => from[Math.floor(random() * from.length)] as Value;

function newRecord(random: () => number, number: number, world: World): NewRecord {
  const key = Math.floor(random() * KEYS);
  const tenant = random() < 0.06 ? POISON : pick(random, TENANTS);
  const present = world.security.get(tenant) ?? 0n;
  return {
    id: `record-${number}`,
    tenant,
    session: "session",
    sessionDay: "2026-11-21",
    key: bytes(16, key),
    request: bytes(32, random() < 0.2 ? 2 : 1),
    kind: "decision",
    securityRevision: present > 0n && random() < 0.15 ? present - 1n : present,
    digest: bytes(32, number),
    body: bytes(2, 1),
  };
}

/** What can befall the store, each as likely as the others. */
const FAULTS: Record<string, (world: World, random: () => number) => void> = {
  "connection cut, backend killed": (world, random) => cutOne(world, random, "killed"),
  "connection cut, backend lives on": (world, random) => cutOne(world, random, "lives_on"),
  "store away": (world) => world.setAway(true),
  "store back": (world) => world.setAway(false),
  "answer lost": (world) => world.loseNextAnswer(),
  "writer fenced by hand": (world, random) => {
    if (random() < 0.3) world.fenceByHand(pick(random, world.connected()));
  },
  "replica fenced": (world, random) => {
    if (random() < 0.05) world.fenceReplica(pick(random, REPLICAS));
  },
  "security changed": (world, random) => {
    const tenant = pick(random, TENANTS);
    world.security.set(tenant, (world.security.get(tenant) ?? 0n) + 1n);
  },
};

function cutOne(world: World, random: () => number, backend: "killed" | "lives_on"): void {
  const from = world.busy().length > 0 ? world.busy() : world.connected();
  if (from.length > 0) world.cut(pick(random, from), backend);
}

/** What was answered must be in the store by the time that it is answered. */
function checkAnswer(rows: readonly Row[], record: NewRecord, told: RecordOutcome): string[] {
  const own = rows.filter((row) => row.id === record.id);
  const winner = rows.find((row) => row.key === keyOf(record));
  switch (told.outcome) {
    case "inserted": {
      const at = own[0];
      if (!at) return [`${record.id} was answered and is not recorded`];
      const { epoch, n } = told.ref;
      return at.epoch === epoch && at.n === n ? [] : [`${record.id} was answered as ${epoch}/${n}, which it is not`];
    }
    case "existing":
      if (winner?.id !== told.record.id) return [`${record.id} was answered another record than the one under its key`];
      return winner.id === record.id ? [`${record.id} was told that it is another's`] : [];
    case "reused":
      return winner && winner.request !== Buffer.from(record.request).toString("hex")
        ? []
        : [`${record.id} was told that its key is taken by another request, which it is not`];
    case "stale":
    case "short":
    case "gone":
      return own.length > 0 ? [`${record.id} was told to decide anew, and is recorded`] : [];
  }
}

/** What must hold once nothing moves any more. */
function checkEnd({ rows, late }: World, asked: readonly Asked[], calm: boolean): string[] {
  const wrong = late.map((row) => `${row.id} was recorded after its writer had been shut out`);
  const ids = new Set(rows.map((row) => row.id));
  const keys = new Set(rows.map((row) => row.key));
  if (ids.size !== rows.length) wrong.push("a record stands twice");
  if (keys.size !== rows.length) wrong.push("a key stands twice");
  for (const epoch of new Set(rows.map((row) => row.epoch))) {
    const numbers = rows.filter((row) => row.epoch === epoch).map((row) => Number(row.n));
    if (Math.max(...numbers) !== numbers.length) wrong.push(`the numbers of writer ${epoch} have a gap`);
  }
  for (const { record, told } of asked) {
    if (!told) wrong.push(`${record.id} was never answered`);
    if (told?.outcome !== "refused") continue;
    const { error } = told;
    if (calm && error instanceof LedgerUnavailable) wrong.push(`${record.id} was refused though nothing had happened`);
    const recordedNever = !(error instanceof LedgerUnavailable) || error.recorded === "no";
    // What is handed over twice may be refused once and recorded once.
    const askedOnce = asked.filter((one) => one.record.id === record.id).length === 1;
    if (recordedNever && askedOnce && ids.has(record.id))
      wrong.push(`${record.id} was said not to be recorded, and is`);
    if (!(error instanceof LedgerUnavailable) && record.tenant !== POISON) {
      wrong.push(`${record.id} failed for another's fault`);
    }
  }
  return wrong;
}

function nameOf(told: NonNullable<Asked["told"]>): string {
  if (told.outcome !== "refused") return told.outcome;
  return told.error instanceof LedgerUnavailable ? `unavailable, recorded: ${told.error.recorded}` : "refused";
}

/** Starts both replicas before anything befalls them. */
async function startAll(ledgers: readonly Ledger[], scheduler: Scheduler): Promise<void> {
  let started = false;
  const all = Promise.all(ledgers.map((ledger) => ledger.start())).then(() => {
    started = true;
  });
  while (!started) await scheduler.turn();
  await all;
}

/** One schedule: what happens, and in which order, follows from the seed. */
export async function simulate(seed: number, rules: Rules): Promise<Simulated> {
  const calm = seed % CALM_EVERY === 0;
  const random = seeded(seed);
  const scheduler = createScheduler(random, calm ? 0 : TIME_PASSES);
  const timing = { ...scheduler.timing, random };
  const world = createWorld(rules, scheduler.step);
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const violations: string[] = [];
  const asked: Asked[] = [];
  const options = { writers: 2, limits: { ...limits, batchRecordsMax: 8 }, log: silentLog, timing };
  const ledgers = REPLICAS.map((replica) => createLedger({ ...options, store: world.store(replica) }));
  await startAll(ledgers, scheduler);

  const ask = () => {
    // A caller may hand over the same record again.
    const again = random() < 0.05 && asked.at(-1)?.record;
    const one: Asked = { record: again || newRecord(random, asked.length, world) };
    asked.push(one);
    pick(random, ledgers)
      .record(one.record)
      .then(
        (told) => {
          one.told = told;
          violations.push(...checkAnswer(world.rows, one.record, told));
        },
        (error) => {
          one.told = { outcome: "refused", error };
        },
      )
      .finally(() => one.told && count(`answer: ${nameOf(one.told)}`));
  };
  const befall = () => {
    const fault = pick(random, Object.keys(FAULTS));
    FAULTS[fault]?.(world, random);
    count(`fault: ${fault}`);
  };

  while (asked.length < RECORDS) {
    if (random() < 0.1 && !calm) befall();
    if (random() < 0.2) for (let burst = 1 + Math.floor(random() * 5); burst > 0; burst--) ask();
    await scheduler.turn();
  }
  // From here on nothing befalls the store, and everything must come to its end.
  world.setAway(false);
  for (let turn = 0; turn < TURNS_MAX && (await scheduler.turn()); turn++);
  violations.push(...checkEnd(world, asked, calm));
  for (const [step, times] of scheduler.taken) seen.set(`step: ${step}`, times);
  return { violations, seen };
}
