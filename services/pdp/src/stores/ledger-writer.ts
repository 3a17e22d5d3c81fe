import pg, { type QueryArrayConfig } from "pg";
import { CommitFailure, type LedgerWriter, type NewRecord, type RecordOutcome } from "../ledger/index.ts";
import { balancesOf, type ChargedToo, holdLocked, shortsOf } from "./charge-columns.ts";
import { commitFailure } from "./commit-failure.ts";
import { fullForm, quickForm } from "./commit-form.ts";
import type { Lane } from "./lane.ts";
import type { Committed } from "./ledger-statement.ts";
import { readTaken, takenQuery } from "./stored-record.ts";

/** The numbers of what was inserted, in the batch's order; the places of what was not. */
function outcomesOf(epoch: bigint, base: bigint, batch: readonly NewRecord[], told: Committed, charged: ChargedToo) {
  const numbers = told.ids && new Map(told.ids.map((id, at) => [id, base + BigInt(at) + 1n]));
  const missing: number[] = [];
  const outcomes = batch.map((record, at): RecordOutcome => {
    const n = numbers ? numbers.get(record.id) : base + BigInt(at) + 1n;
    if (n !== undefined) {
      const balances = record.charge && { balances: balancesOf(record, charged) };
      return { outcome: "inserted", ref: { epoch, n }, ...balances };
    }
    missing.push(at);
    return { outcome: "stale" };
  });
  return { outcomes, missing };
}

/** Why a record is not there whose key is free. */
function leftOut(record: NewRecord, at: number, charged: ChargedToo, skipped: boolean): RecordOutcome {
  const left = charged.left.get(at);
  if (!left) return { outcome: "stale" };
  if (left.every(({ why }) => why !== "gone")) return { outcome: "short", shorts: shortsOf(record, left, charged) };
  // A hold that was not waited for may be there.
  return skipped ? { outcome: "short", shorts: holdLocked(record) } : { outcome: "gone" };
}

const LOCK_NOT_AVAILABLE = "55P03";
/** As long as a lane's statement may take. */
const LOCKED_MS_MAX = 2_000;

/** The statement was given up for a lock that something else held too long; nothing of it was done. */
function waitedTooLong(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE && error.severity === "ERROR";
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
  const ask = async (config: QueryArrayConfig) => {
    try {
      return (await lane.query(config)).rows;
    } catch (error) {
      throw giveUp(commitFailure(error));
    }
  };

  /**
   * Sends a batch: in the quick form where it has one, and where that does nothing, in the form that says of each record
   * why. Whatever waits too long for a lock is sent again, without what something else holds.
   */
  const send = async (batch: readonly NewRecord[]) => {
    const full = (waiting: "wait" | "skip") => query(() => fullForm(epoch, base, batch, waiting));
    const endMs = performance.now() + LOCKED_MS_MAX;
    let form = query(() => quickForm(epoch, base, batch)) ?? full("wait");
    let skipped = false;
    for (;;) {
      try {
        const said = form.read((await lane.query(form.config)).rows[0]);
        if (said) return { ...said, skipped };
        form = full("wait");
      } catch (error) {
        if (!waitedTooLong(error) || performance.now() > endMs) throw giveUp(commitFailure(error));
        form = full("skip");
        skipped = true;
      }
    }
  };

  const commit = async (batch: readonly NewRecord[]): Promise<RecordOutcome[]> => {
    const { told, charged, skipped } = await send(batch);
    if (!told.alive) throw giveUp(new CommitFailure("fenced", `writer ${epoch} was declared dead`));
    if (told.greatest !== null && told.greatest !== base + BigInt(told.inserted)) {
      throw giveUp(new CommitFailure("broken", `writer ${epoch} gave numbers with a gap`));
    }
    const { outcomes, missing } = outcomesOf(epoch, base, batch, told, charged);
    // The greatest number seen, never a count: what was not inserted has none.
    base = told.greatest ?? base;
    if (missing.length === 0) return outcomes;

    // In a further statement, whose snapshot sees whoever took the key meanwhile. A key that is taken says more than an
    // account that is empty or a hold that is gone: its record may have emptied the one and ended the other.
    const absent = missing.flatMap((at) => batch[at] ?? []);
    const found = readTaken(absent, await ask(query(() => takenQuery(absent))));
    missing.forEach((at, place) => {
      const record = batch[at];
      outcomes[at] = found[place] ?? (record ? leftOut(record, at, charged, skipped) : { outcome: "stale" });
    });
    return outcomes;
  };

  return { epoch, lost: lane.lost.then(() => undefined), commit, close: lane.close };
}
