import { faults } from "./faults.ts";

/** Everything that can befall: what the schedule does to the house, and what callers do by themselves. */
export const faultNames: readonly string[] = [
  ...Object.keys(faults),
  "answer lost on its way to the caller",
  "caller asks again elsewhere",
  "caller asks twice at once",
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
];

const kinds = [
  "allow",
  "escalate",
  "adoption",
  "denial",
  "decision without a hold",
  "settlement",
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

/** Why a cell can never be filled; undefined where it can. */
function impossible(_fault: string, _step: string): string | undefined {
  return undefined;
}

export type Cells = Map<string, number>;

export function addCells(total: Cells, cells: ReadonlyMap<string, number>): void {
  for (const [cell, times] of cells) total.set(cell, (total.get(cell) ?? 0) + times);
}

/** Cells that could have been filled and were not. */
export function emptyCells(cells: ReadonlyMap<string, number>): string[] {
  return faultNames.flatMap((fault) =>
    stepNames
      .map((step) => `${fault} × ${step}`)
      .filter((cell, at) => !cells.has(cell) && !impossible(fault, stepNames[at] ?? "")),
  );
}

const short = (times: number) =>
  times < 1_000 ? `${times}` : times < 1_000_000 ? `${Math.round(times / 1_000)}k` : `${Math.round(times / 1e6)}M`;

/** The table: a row a step, a column a fault, both numbered below it. */
export function table(cells: ReadonlyMap<string, number>): string {
  const head = `${"".padEnd(32)}${faultNames.map((_, at) => `${at + 1}`.padStart(5)).join("")}`;
  const rows = stepNames.map((step) => {
    const row = faultNames.map((fault) =>
      impossible(fault, step) ? "–" : short(cells.get(`${fault} × ${step}`) ?? 0),
    );
    return `${step.padEnd(32)}${row.map((one) => one.padStart(5)).join("")}`;
  });
  const names = faultNames.map((fault, at) => `${`${at + 1}`.padStart(3)} ${fault}`);
  return [head, ...rows, "", ...names].join("\n");
}
