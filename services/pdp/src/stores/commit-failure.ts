import pg from "pg";
import { Fault } from "../foundation/fault.ts";
import { CommitFailure } from "../ledger/index.ts";

// SQLSTATE classes that blame a row: data exception, integrity constraint, program limit.
const ROW_AT_FAULT = /^(?:22|23|54)/;
const UNIQUE_VIOLATION = "23505";

/**
 * What an error of a commit means. Everything that does not say for sure that the statement was rolled back because of
 * a row counts as lost: that is never wrong, only slower.
 */
export function commitFailure(error: unknown): CommitFailure {
  if (error instanceof CommitFailure) return error;
  if (!(error instanceof pg.DatabaseError)) {
    const why = error instanceof Error ? error.message : String(error);
    return new CommitFailure("lost", `the acknowledgement was lost: ${why}`, error);
  }
  const { code = "", severity } = error;
  if (code === UNIQUE_VIOLATION) {
    // A key that is taken raises nothing. What is left is (writer, n): another process writes this writer's numbers.
    return new CommitFailure(
      "broken",
      "a number of this writer was given by another process: a copy of this one",
      error,
    );
  }
  if (severity === "ERROR" && ROW_AT_FAULT.test(code)) {
    return new CommitFailure("poisoned", `the store refuses a record (${code} ${error.constraint ?? ""})`, error);
  }
  return new CommitFailure("lost", `the commit failed (${code}): ${error.message}`, error);
}

/** What an error of opening a connection means: `broken` when this is not the Postgres that recorded before. */
export function openFailure(error: unknown): unknown {
  if (!(error instanceof Fault) || error.reason !== "cell_changed") return error;
  return new CommitFailure("broken", error.message, error);
}
