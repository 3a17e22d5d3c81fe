import { wholeNumber } from "../../.tools/asked.ts";

/** What every measurement of its own can be told, beside `--help`. */
export const usualOptions = {
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  out: { type: "string" },
} as const;

/** How many alternating rounds: what was asked for, else one where it is to be quick, else as many as are usual. */
export function roundsOf(
  asked: { readonly rounds?: string | undefined; readonly quick: boolean },
  usual: number,
): number {
  return wholeNumber("rounds", asked.rounds ?? (asked.quick ? "1" : String(usual)), 99);
}
