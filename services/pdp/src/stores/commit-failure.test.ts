import pg from "pg";
import { expect, test } from "vitest";
import { Fault } from "../foundation/fault.ts";
import { CommitFailure } from "../ledger/index.ts";
import { commitFailure, openFailure } from "./commit-failure.ts";

function databaseError(code: string, severity = "ERROR"): pg.DatabaseError {
  const error = new pg.DatabaseError("no", 2, "error");
  error.code = code;
  error.severity = severity;
  return error;
}

test.each(["22021", "22P02", "23514", "23502", "54000"])("%s blames a row: nothing was recorded", (code) => {
  expect(commitFailure(databaseError(code)).kind).toBe("poisoned");
});

test("a number that is taken means that this process was copied", () => {
  expect(commitFailure(databaseError("23505")).kind).toBe("broken");
});

test.each(["57P01", "57014", "08006", "25P04", "40P01", "53100", "42501", "XX000", ""])(
  "%s says nothing for sure",
  (code) => {
    expect(commitFailure(databaseError(code)).kind).toBe("lost");
  },
);

test("a row is blamed only by an error that leaves the connection alive", () => {
  expect(commitFailure(databaseError("22021", "FATAL")).kind).toBe("lost");
});

test("what is no error of Postgres is a lost acknowledgement, and a failure that is named stays", () => {
  expect(commitFailure(new Error("Connection terminated unexpectedly")).kind).toBe("lost");
  const fenced = new CommitFailure("fenced", "dead");
  expect(commitFailure(fenced)).toBe(fenced);
});

test("another Postgres than the one that recorded before stops the line; one that is away does not", () => {
  expect(openFailure(new Fault("precondition", "cell_changed", "another"))).toMatchObject({ kind: "broken" });
  const away = new Error("ECONNREFUSED");
  expect(openFailure(away)).toBe(away);
});
