import { addCells, type Cells } from "./coverage.ts";
import { PLANNED, type Simulated, simulate } from "./simulate.ts";
import { rulesOf } from "./variants.ts";

/** What many schedules came to. */
export interface Tally {
  schedules: number;
  commits: number;
  readonly cells: Cells;
  readonly answers: Map<string, number>;
  /** The first seed under which something was wrong. */
  wrong: { readonly seed: number; readonly violations: readonly string[] } | undefined;
}

export const newTally = (): Tally => ({
  ...{ schedules: 0, commits: 0, cells: new Map(), answers: new Map(), wrong: undefined },
});

export function addTally(total: Tally, part: Tally): void {
  total.schedules += part.schedules;
  total.commits += part.commits;
  addCells(total.cells, part.cells);
  addCells(total.answers, part.answers);
  if (part.wrong && (!total.wrong || part.wrong.seed < total.wrong.seed)) total.wrong = part.wrong;
}

/** Plays schedules one after another until one is wrong. */
export async function play(from: number, schedules: number, variant?: string): Promise<Tally> {
  const tally = newTally();
  const rules = rulesOf(variant);
  for (let seed = from; seed < from + schedules && !tally.wrong; seed++) {
    const { violations, cells, answers, commits } = await simulate(seed, { rules });
    const wrong = violations.length > 0 ? { seed, violations } : undefined;
    addTally(tally, { schedules: 1, commits, cells: new Map(cells), answers: new Map(answers), wrong });
  }
  return tally;
}

/**
 * The least of a schedule that is still wrong: what is planned is left out, one after another, for as long as that is so.
 * Answers what is left and its trace.
 */
export async function shrink(seed: number, variant?: string): Promise<{ only: number[]; last: Simulated }> {
  const rules = rulesOf(variant);
  let only = Array.from({ length: PLANNED }, (_, number) => number);
  for (let again = true; again; ) {
    again = false;
    for (const number of only) {
      const without = only.filter((one) => one !== number);
      const { violations } = await simulate(seed, { rules, only: new Set(without) });
      if (violations.length === 0) continue;
      only = without;
      again = true;
    }
  }
  return { only, last: await simulate(seed, { rules, only: new Set(only), traced: true }) };
}
