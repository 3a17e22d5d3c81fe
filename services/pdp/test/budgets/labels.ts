import type { NewRecord } from "../../src/ledger/index.ts";

/** What a record is in the coverage table. */
export function labelOf({ kind, charge }: NewRecord): string {
  const step = charge?.hold;
  // What waits for no time is an operator's word.
  if (kind === "expiry") return step?.step === "end" && !step.overdue ? "resolution" : "expiry";
  if (kind === "report") {
    if (step?.step === "extend") return "running";
    if (step) return "settlement";
    return charge ? "correction" : "report without a hold";
  }
  if (!step) return "decision without a hold";
  if (step.step === "take") return step.pending ? "escalate" : "allow";
  return step.step === "adopt" ? "adoption" : "denial";
}
