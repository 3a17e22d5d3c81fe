import { CommitFailure, type LedgerWriter, type NewRecord, type RecordOutcome } from "../ledger/index.ts";
import { commitFailure } from "./commit-failure.ts";
import type { Lane } from "./lane.ts";
import { type Committed, commitQuery, readCommitted } from "./ledger-statement.ts";
import { readTaken, takenQuery } from "./stored-record.ts";

/** The numbers of what was inserted, in the batch's order; the places of what was not. */
function outcomesOf(epoch: bigint, base: bigint, batch: readonly NewRecord[], told: Committed) {
  const numbers = told.ids && new Map(told.ids.map((id, at) => [id, base + BigInt(at) + 1n]));
  const missing: number[] = [];
  const outcomes = batch.map((record, at): RecordOutcome => {
    const n = numbers ? numbers.get(record.id) : base + BigInt(at) + 1n;
    if (n !== undefined) return { outcome: "inserted", ref: { epoch, n } };
    missing.push(at);
    return { outcome: "stale" };
  });
  return { outcomes, missing };
}

/** Throws on a record that cannot be written as parameters: it never reaches the store. */
function query<Query>(write: () => Query): Query {
  try {
    return write();
  } catch (error) {
    throw new CommitFailure("poisoned", "a record cannot be written as the store's types", error);
  }
}

/** A writer on its own connection, its row already there. */
export function createLedgerWriter(lane: Lane, epoch: bigint, onBroken: () => void): LedgerWriter {
  let base = 0n;

  /** Nothing more is sent where nobody knows what became of the last: its backend may live on, we do not listen. */
  const giveUp = (failure: CommitFailure): CommitFailure => {
    if (failure.kind !== "poisoned") lane.destroy(failure);
    if (failure.kind === "broken") onBroken();
    return failure;
  };
  const ask = async (config: ReturnType<typeof commitQuery>) => {
    try {
      return (await lane.query(config)).rows;
    } catch (error) {
      throw giveUp(commitFailure(error));
    }
  };

  const commit = async (batch: readonly NewRecord[]): Promise<RecordOutcome[]> => {
    const config = query(() => commitQuery(epoch, base, batch));
    const [row] = await ask(config);
    const told = readCommitted(row);
    if (!told.alive) throw giveUp(new CommitFailure("fenced", `writer ${epoch} was declared dead`));
    if (told.greatest !== null && told.greatest !== base + BigInt(told.inserted)) {
      throw giveUp(new CommitFailure("broken", `writer ${epoch} gave numbers with a gap`));
    }
    const { outcomes, missing } = outcomesOf(epoch, base, batch, told);
    // The greatest number seen, never a count: what was not inserted has none.
    base = told.greatest ?? base;
    if (missing.length === 0) return outcomes;

    // In a further statement, whose snapshot sees whoever took the key meanwhile.
    const absent = missing.flatMap((at) => batch[at] ?? []);
    const found = readTaken(absent, await ask(query(() => takenQuery(absent))));
    missing.forEach((at, place) => {
      outcomes[at] = found[place] ?? { outcome: "stale" };
    });
    return outcomes;
  };

  return { epoch, lost: lane.lost.then(() => undefined), commit, close: lane.close };
}
