import { type Cursor, type NextInLine, nextInLine, type Unplaced } from "../../src/ledger/index.ts";
import { seeded } from "./scheduler.ts";

/*
 * Writers whose commits become visible in another order than they began, and sequencers that come and go at once, in a
 * model of READ COMMITTED: a statement sees what was visible when it began. What follows from a record begins when that
 * was visible. The order itself is the product's own.
 */

export interface SequencerRules {
  /** Which records count as new. */
  readonly news: "after each writer's cursor" | "after the last ord";
  readonly order: "by ord and n" | "by writer and n" | "as they became visible";
  /** When a sequencer reads: once it has the head, or in the statement that waits for it; or it waits for nobody. */
  readonly fence: "head, then a further statement" | "one statement" | "no head";
  readonly cursors: "moved with the places" | "moved afterwards";
  readonly missing: "stops the line" | "is passed over";
}

export const sequencerRules: SequencerRules = {
  news: "after each writer's cursor",
  order: "by ord and n",
  fence: "head, then a further statement",
  cursors: "moved with the places",
  missing: "stops the line",
};

interface Row extends Unplaced {
  readonly id: string;
  readonly cause: string | undefined;
}

interface Sequencer {
  state: "away" | "waits" | "reads" | "writes" | "moves cursors";
  snapshot: { rows: readonly Row[]; cursors: readonly Cursor[]; size: number; last: bigint } | undefined;
  plan: { rows: readonly Row[]; cursors: readonly Cursor[] } | undefined;
}

const WRITERS = 4;
const SEQUENCERS = 2;
const BATCH_MAX = 6;
const idOf = ({ epoch, n }: Unplaced) => `${epoch}/${n}`;

function planOf(rules: SequencerRules, { rows, cursors, last }: NonNullable<Sequencer["snapshot"]>) {
  const at = new Map(cursors.map(({ epoch, n }) => [epoch, n]));
  const news = rows.filter(({ epoch, n, ord }) =>
    rules.news === "after the last ord" ? ord > last : n > (at.get(epoch) ?? 0n),
  );
  const reached = (placed: readonly Row[]) =>
    [...new Map(placed.map(({ epoch, n }) => [epoch, n]))].map(([epoch, n]) => ({ epoch, n }));
  if (rules.order === "by ord and n" && rules.missing === "stops the line" && rules.news !== "after the last ord") {
    const next: NextInLine<Row> = nextInLine(cursors, news, BATCH_MAX);
    return next.state === "placed" ? { rows: next.records, cursors: next.cursors } : "stopped";
  }
  const by: Record<SequencerRules["order"], (a: Row, b: Row) => number> = {
    "by ord and n": (a, b) => Number(a.ord - b.ord) || Number(a.n - b.n),
    "by writer and n": (a, b) => Number(a.epoch - b.epoch) || Number(a.n - b.n),
    "as they became visible": () => 0,
  };
  const placed = [...news].sort(by[rules.order]).slice(0, BATCH_MAX);
  return { rows: placed, cursors: reached(placed) };
}

/** Plays one schedule; answers what was wrong at its end. `destroys`: a record that has no place yet is removed. */
export function playSequencers(seed: number, rules: SequencerRules, destroys = false): string[] {
  const random = seeded(seed);
  const below = (count: number) => Math.floor(random() * count);
  const visible: Row[] = [];
  const inFlight: (Row[] | undefined)[] = Array.from({ length: WRITERS }, () => undefined);
  const numbers = Array.from({ length: WRITERS }, () => 0n);
  const places: { seq: number; row: Row }[] = [];
  const sequencers = Array.from({ length: SEQUENCERS }, (): Sequencer => {
    return { state: "away", snapshot: undefined, plan: undefined };
  });
  let cursors: Cursor[] = [];
  let [ord, size, last, head, destroyed, stopped] = [0n, 0, 0n, -1, "", false];

  const begin = (writer: number) => {
    // The order is taken when the statement begins, in the snapshot that sees what it follows from.
    ord += 1n;
    inFlight[writer] = Array.from({ length: 1 + below(3) }, () => {
      numbers[writer] = (numbers[writer] ?? 0n) + 1n;
      const cause =
        visible.length > 0 && random() < 0.6
          ? visible[visible.length - 1 - below(Math.min(4, visible.length))]
          : undefined;
      const place = { epoch: BigInt(writer + 1), n: numbers[writer] ?? 0n, ord };
      return { ...place, id: idOf(place), cause: cause?.id };
    });
  };
  const write = (writer: number) => {
    const rows = inFlight[writer];
    if (!rows) return begin(writer);
    visible.push(...rows);
    inFlight[writer] = undefined;
  };
  const snapshot = () => ({ rows: [...visible], cursors, size, last });
  const move = (plan: NonNullable<Sequencer["plan"]>) => {
    const moved = new Map(cursors.map(({ epoch, n }) => [epoch, n]));
    for (const { epoch, n } of plan.cursors) moved.set(epoch, n);
    cursors = [...moved].map(([epoch, n]) => ({ epoch, n }));
  };
  const free = (at: number) => {
    if (head === at) head = -1;
  };
  const step = (at: number) => {
    const one = sequencers[at];
    if (!one) return;
    if (one.state === "away") {
      one.state = "waits";
      one.snapshot = rules.fence === "one statement" ? snapshot() : undefined;
    } else if (one.state === "waits") {
      if (rules.fence !== "no head" && head >= 0) return;
      if (rules.fence !== "no head") head = at;
      one.state = "reads";
    } else if (one.state === "reads") {
      one.snapshot ??= snapshot();
      const plan = planOf(rules, one.snapshot);
      if (plan === "stopped") stopped = true;
      one.plan = plan === "stopped" || plan.rows.length === 0 ? undefined : plan;
      one.state = one.plan ? "writes" : "away";
      if (!one.plan) free(at);
    } else if (one.state === "writes" && one.plan && one.snapshot) {
      // One transaction: all of it, or nothing; the process may be killed before.
      if (random() < 0.1) {
        one.state = "away";
        return free(at);
      }
      const from = one.snapshot.size;
      places.push(...one.plan.rows.map((row, i) => ({ seq: from + i + 1, row })));
      size = from + one.plan.rows.length;
      last = one.plan.rows.reduce((most, row) => (row.ord > most ? row.ord : most), last);
      if (rules.cursors === "moved with the places") move(one.plan);
      one.state = rules.cursors === "moved with the places" ? "away" : "moves cursors";
      free(at);
    } else if (one.state === "moves cursors" && one.plan) {
      move(one.plan);
      one.state = "away";
    }
  };
  const destroy = () => {
    const placed = new Set(places.map(({ row }) => row.id));
    const under = sequencers.some(({ state }) => state !== "away");
    const at = visible.findIndex(({ id, epoch, n }) => !placed.has(id) && n < (numbers[Number(epoch) - 1] ?? 0n));
    const later = at >= 0 && visible.slice(at + 1).some(({ epoch }) => epoch === visible[at]?.epoch);
    if (under || !later) return;
    destroyed = visible.splice(at, 1)[0]?.id ?? "";
  };

  for (let turn = 0; turn < 120; turn++) {
    if (destroys && destroyed === "") destroy();
    if (random() < 0.6) write(below(WRITERS));
    else step(below(SEQUENCERS));
  }
  for (let writer = 0; writer < WRITERS; writer++) if (inFlight[writer]) write(writer);
  for (let turn = 0; turn < 400; turn++) step(turn % SEQUENCERS);
  return [
    ...wrongIn(places, visible, size),
    ...(destroyed !== "" && !stopped ? ["a missing record was passed over"] : []),
  ].filter((wrong) => destroyed === "" || wrong !== "a record has no place");
}

function wrongIn(places: readonly { seq: number; row: Row }[], visible: readonly Row[], size: number): string[] {
  const wrong = new Set<string>();
  const seqs = new Set(places.map(({ seq }) => seq));
  const at = new Map(places.map(({ seq, row }) => [row.id, seq]));
  if (seqs.size !== places.length) wrong.add("a place is given twice");
  if (at.size !== places.length) wrong.add("a record has two places");
  if (seqs.size !== size || Math.max(0, ...seqs) !== size) wrong.add("places have a gap");
  if (visible.some(({ id }) => !at.has(id))) wrong.add("a record has no place");
  for (const { seq, row } of places) {
    if (row.cause !== undefined && (at.get(row.cause) ?? 0) > seq) wrong.add("what follows stands before");
  }
  return [...wrong];
}
