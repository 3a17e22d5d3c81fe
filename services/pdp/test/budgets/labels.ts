import type { NewRecord } from "../../src/ledger/index.ts";
import { saidBy } from "./said.ts";

/** What a record is in the coverage table. */
export function labelOf(record: NewRecord): string {
  const { kind, charge } = record;
  const step = charge?.hold;
  if (kind === "alias") return "alias";
  // What waits for no time is an operator's word.
  if (kind === "expiry") return step?.step === "end" && !step.overdue ? "resolution" : "expiry";
  if (kind === "report") {
    if (step?.step === "extend") return "running";
    if (step) return "settlement";
    if (!charge) return "report without a hold";
    return saidBy(record).corrects ? "correction" : "watched report";
  }
  if (!step) return saidBy(record).would_hold ? "watched" : "decision without a hold";
  if (step.step === "take") return step.pending ? "escalate" : "allow";
  if (step.step === "adopt") return "adoption";
  // What waited for people is given back: nothing may run, or nothing is held for it any more.
  return saidBy(record).mode === "observed" ? "watched instead" : "denial";
}
