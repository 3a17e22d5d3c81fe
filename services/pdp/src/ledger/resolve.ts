import type { Waiting } from "./queue.ts";
import type { RecordOutcome } from "./record.ts";
import { failureOf, type Pause, pauseBefore, recordedUnsent, type Shared } from "./shared.ts";

/**
 * Asks until the store answers; null when the ledger was closed meanwhile, or when this is not the store any more that it
 * was: nobody can tell then, and the line stops. A replica that is fenced asks on: what became of its last batches is
 * still worth an answer.
 */
async function persist<Value>(shared: Shared, pause: Pause, what: string, ask: () => Promise<Value>) {
  for (let attempt = 1; shared.stopped() !== "closed"; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (failureOf(error).kind === "broken") {
        shared.stop("broken", error);
        return null;
      }
      if (attempt === 1) shared.log.warn({ error, what }, "the store does not answer; asking again");
      await pauseBefore(shared, pause, attempt);
    }
  }
  return null;
}

/** Looks a batch up. One record that cannot even be asked for does not hide the others. */
async function lookUp(shared: Shared, part: readonly Waiting[]): Promise<(RecordOutcome | null)[]> {
  try {
    return await shared.store.lookUp(part.map((one) => one.record));
  } catch (error) {
    if (failureOf(error).kind !== "poisoned") throw error;
    // What the store cannot be asked for it cannot hold either.
    if (part.length === 1) return [null];
    const half = part.length >> 1;
    return [...(await lookUp(shared, part.slice(0, half))), ...(await lookUp(shared, part.slice(half)))];
  }
}

/**
 * Settles a batch whose acknowledgement was lost: first its writer is fenced, so that its statement has either been
 * recorded or never will be, then the batch is looked up. Neither alone will do: a backend that lives on may commit
 * after a look, and what is done anew may then stand beside what it committed.
 *
 * A record that is not there goes through another writer once more, unchanged: the statement refuses it if it is stale
 * by now or its key is taken, so it is worth what it was while it waited in the queue. Only once, because a record
 * whose second acknowledgement is lost too may be what breaks the connection.
 */
export async function resolveLost(
  shared: Shared,
  pause: Pause,
  epoch: bigint,
  part: readonly Waiting[],
  cause: unknown,
): Promise<void> {
  // With nothing to find out, the fence only tells others where this writer's numbers end.
  if (part.length === 0 && shared.stopped()) return;
  const fence = async () => {
    await shared.store.fenceWriter(epoch);
    return true;
  };
  const fenced = await persist(shared, pause, "fence", fence);
  if (part.length === 0) return;
  const outcomes = fenced && (await persist(shared, pause, "look up", () => lookUp(shared, part)));
  if (!outcomes) {
    void shared.refuseAll(part, "unknown", cause);
    return;
  }

  const again: Waiting[] = [];
  const lostTwice: Waiting[] = [];
  part.forEach((waiting, at) => {
    const outcome = outcomes[at];
    if (outcome) shared.answer(waiting, outcome);
    else if (waiting.resubmitted) lostTwice.push(waiting);
    else again.push(waiting);
  });
  for (const waiting of again) waiting.resubmitted = true;
  shared.putBack(again);
  void shared.refuseAll(lostTwice, recordedUnsent(shared.stopped()), cause);
}
