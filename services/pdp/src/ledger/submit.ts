import { Fault } from "../foundation/fault.ts";
import { CommitFailure, type LedgerWriter } from "./ledger-store.ts";
import type { Waiting } from "./queue.ts";
import type { RecordOutcome } from "./record.ts";
import { failureOf, type Shared } from "./shared.ts";

/** What became of a batch's writer. `unresolved`: what nobody knows whether it was recorded. */
export type Submitted =
  | { readonly writer: "alive" }
  | { readonly writer: "dead"; readonly unresolved: readonly Waiting[]; readonly cause: CommitFailure };

/** One statement, timed. */
async function commit(shared: Shared, writer: LedgerWriter, part: readonly Waiting[]) {
  const startedMs = shared.timing.now();
  let result: RecordOutcome[] | CommitFailure;
  try {
    const committing = writer.commit(part.map((one) => one.record));
    shared.sent();
    result = await committing;
  } catch (error) {
    result = failureOf(error);
  }
  const ms = shared.timing.now() - startedMs;
  shared.observe({ records: part.length, ms, result: result instanceof CommitFailure ? result.kind : "committed" });
  return result;
}

function answerAll(shared: Shared, part: readonly Waiting[], outcomes: readonly RecordOutcome[]): void {
  part.forEach((waiting, at) => {
    const outcome = outcomes[at];
    if (outcome) shared.answer(waiting, outcome);
  });
  const unanswered = part.slice(outcomes.length);
  void shared.refuseAll(unanswered, "unknown", new Error("the store answered fewer records than it was given"));
}

/** A batch with a bad row is halved until the row is alone; only that one fails. */
function halve(shared: Shared, part: readonly Waiting[], cause: CommitFailure): Waiting[][] {
  const half = part.length >> 1;
  if (half > 0) return [part.slice(half), part.slice(0, half)];
  const fault = new Fault("internal", "record_refused", "the store cannot hold this record", {}, cause);
  for (const one of part) shared.refuse(one, fault);
  return [];
}

/** Records a batch through a writer and answers everything that is certain. */
export async function submit(shared: Shared, writer: LedgerWriter, batch: Waiting[]): Promise<Submitted> {
  const parts = [batch];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const result = await commit(shared, writer, part);
    if (!(result instanceof CommitFailure)) {
      answerAll(shared, part, result);
      continue;
    }
    if (result.kind === "poisoned") {
      parts.push(...halve(shared, part, result));
      continue;
    }
    shared.log.warn({ error: result, epoch: String(writer.epoch), records: part.length }, "a writer is lost");
    if (result.kind === "broken") shared.stop("broken", result);
    // Halves that were never submitted keep their place.
    shared.putBack(parts.reverse().flat());
    if (result.kind === "lost") return { writer: "dead", unresolved: part, cause: result };
    void shared.refuseAll(part, result.kind === "fenced" ? "no" : "unknown", result);
    return { writer: "dead", unresolved: [], cause: result };
  }
  return { writer: "alive" };
}
