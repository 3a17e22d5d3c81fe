import type { SteppedCall } from "../../src/load/steps.ts";
import type { Outcome } from "../../src/targets.ts";

/** What a server is asked: to hold, or to hold and to settle. */
export interface PairedCalls {
  readonly held: readonly SteppedCall[];
  readonly settled: readonly SteppedCall[];
}

/** What a level's books say: how many calls are held or spent. */
export interface Booked {
  readonly level: string;
  readonly calls: number;
  /** More is held and spent than there was. */
  readonly overspent: boolean;
}

/** How many calls were let in, and of how many nobody knows. */
export interface LetIn {
  readonly good: number;
  readonly unsure: number;
}

export function letIn(runs: readonly LetIn[]): LetIn {
  const sum = (of: (run: LetIn) => number) => runs.reduce((all, run) => all + of(run), 0);
  return { good: sum(({ good }) => good), unsure: sum(({ unsure }) => unsure) };
}

/** Whether each level's books hold every call that was let in, none twice, and none that was not asked. */
export function judgeBooks(name: string, { good, unsure }: LetIn, levels: readonly Booked[]): Outcome {
  const right = levels.every(
    ({ calls, overspent }) => !overspent && Number.isInteger(calls) && calls >= good && calls <= good + unsure,
  );
  const found = [...new Set(levels.map(({ calls }) => calls))].join(", ");
  const unknown = unsure === 0 ? "" : ` to ${good + unsure}`;
  const bound = `${levels.length} levels of ${good}${unknown}, none over`;
  return { target: `${name}: calls in the books`, bound, found, kept: right && levels.length > 0 };
}
