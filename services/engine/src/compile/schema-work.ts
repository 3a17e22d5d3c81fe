/** A bound on the work of checking values against schemas in one decision: a few milliseconds at most. */
export const schemaStepsMax = 150_000;

/** Thrown where checking a value takes more than {@link schemaStepsMax} steps. */
const tooMuch = new Error("a check that takes too many steps");

// One check at a time: it is never interrupted.
let steps = Number.POSITIVE_INFINITY;

/** Takes steps from the check under way. */
export function spendSteps(count: number): void {
  steps -= count;
  if (steps < 0) throw tooMuch;
}

/** What is left of {@link schemaStepsMax} for the checks of one decision. */
export interface CheckBudget {
  checkSteps: number;
}

/** What a check answers; "too much" if it takes more steps than there are, or refers to itself without end. */
export function withinSteps<T>(check: () => T, budget: CheckBudget = { checkSteps: schemaStepsMax }): T | "too much" {
  steps = budget.checkSteps;
  try {
    return check();
  } catch (error) {
    if (error === tooMuch || error instanceof RangeError) return "too much";
    throw error;
  } finally {
    budget.checkSteps = steps;
    steps = Number.POSITIVE_INFINITY;
  }
}
