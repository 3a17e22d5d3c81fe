import { faults } from "./faults.ts";

/** Everything that can befall: what the schedule does to the house, and what callers do by themselves. */
export const faultNames: readonly string[] = [
  ...Object.keys(faults),
  "answer lost on its way to the caller",
  "caller asks again elsewhere",
  "caller asks twice at once",
  "same call asked under another id",
  "denied call asked again later",
  "watched call asked again after its report",
  "approval left alone",
  "approval used twice at once",
  "given up while it is approved",
  "report never sent",
  "report late",
  "report lost",
  "report sent twice",
  "report that it still runs",
  "report overtaken by another",
  "report that nobody knows",
  "report taken by a build before budgets",
];

const kinds = [
  "alias",
  "allow",
  "escalate",
  "adoption",
  "denial",
  "watched",
  "watched instead",
  "decision without a hold",
  "settlement",
  "watched report",
  "running",
  "report without a hold",
  "correction",
  "expiry",
  "resolution",
];
const reads = [
  "accounts opened",
  "calls read",
  "decision read",
  "overdue read",
  "hold read",
  "policies read",
  "asker read",
  "new writer",
  "fence",
  "look up",
];

/** Where the protocol can be when something befalls it. */
export const stepNames: readonly string[] = [
  ...kinds.flatMap((kind) =>
    ["arrives", "commits", "answer travels", "second look"].map((where) => `${kind}: ${where}`),
  ),
  ...reads.flatMap((read) => [`${read}: arrives`, `${read}: answer travels`]),
];

/**
 * Cells that can never be filled, each with its reason: they are not waited for, and one that is filled all the same is
 * an error, since then its reason does not hold.
 */
const impossible: ReadonlyMap<string, string> = new Map();

export type Cells = Map<string, number>;

export function addCells(total: Cells, cells: ReadonlyMap<string, number>): void {
  for (const [cell, times] of cells) total.set(cell, (total.get(cell) ?? 0) + times);
}

/** Cells that could have been filled and were not. */
export function emptyCells(cells: ReadonlyMap<string, number>): string[] {
  return faultNames.flatMap((fault) =>
    stepNames.map((step) => `${fault} × ${step}`).filter((cell) => !cells.has(cell) && !impossible.has(cell)),
  );
}

/** Cells that were filled although they are said to be impossible. */
export function wronglyImpossible(cells: ReadonlyMap<string, number>): string[] {
  return [...impossible].flatMap(([cell, why]) => (cells.has(cell) ? [`${cell}: ${why}`] : []));
}

const short = (times: number) =>
  times < 1_000 ? `${times}` : times < 1_000_000 ? `${Math.round(times / 1_000)}k` : `${Math.round(times / 1e6)}M`;

const LABEL_CHARS = 42;

/** The table: a row a step, a column a fault, both numbered below it. */
export function table(cells: ReadonlyMap<string, number>): string {
  const head = `${"".padEnd(LABEL_CHARS)}${faultNames.map((_, at) => `${at + 1}`.padStart(5)).join("")}`;
  const rows = stepNames.map((step) => {
    const row = faultNames.map((fault) =>
      impossible.has(`${fault} × ${step}`) ? "–" : short(cells.get(`${fault} × ${step}`) ?? 0),
    );
    return `${step.padEnd(LABEL_CHARS)}${row.map((one) => one.padStart(5)).join("")}`;
  });
  const names = faultNames.map((fault, at) => `${`${at + 1}`.padStart(3)} ${fault}`);
  return [head, ...rows, "", ...names].join("\n");
}
