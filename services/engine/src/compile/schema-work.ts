/** A bound on the work of checking one value against a schema: a few milliseconds at most. */
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

/** What a check answers; "too much" if it takes more steps than there are, or refers to itself without end. */
export function withinSteps<T>(check: () => T): T | "too much" {
  steps = schemaStepsMax;
  try {
    return check();
  } catch (error) {
    if (error === tooMuch || error instanceof RangeError) return "too much";
    throw error;
  } finally {
    steps = Number.POSITIVE_INFINITY;
  }
}
