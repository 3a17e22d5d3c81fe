import { wholeNumber } from "./option-values.ts";

/** What every measurement of its own can be told, for `parseArgs`. */
export const usualOptions = {
  help: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  out: { type: "string" },
} as const;

/** How many alternating rounds: what was asked for, else one where it is to be quick, else as many as are usual. */
export function roundsOf(asked: { readonly rounds?: string; readonly quick: boolean }, usual: number): number {
  return wholeNumber("rounds", asked.rounds ?? (asked.quick ? "1" : String(usual)), 99);
}

/** Prints what the program can do where that is asked, else measures. */
export async function helpOr({ help }: { readonly help: boolean }, text: string, measure: () => Promise<void>) {
  if (help) process.stdout.write(text);
  else await measure();
}
