import { expect, test } from "vitest";
import { judgeBooks, letIn } from "./booked.ts";
import { findCycles } from "./cycles-program.ts";

const levels = (...calls: number[]) => calls.map((one, at) => ({ level: `${at}`, calls: one, overspent: false }));

test("books are right when every level holds each call that was let in, once", () => {
  const made = letIn([
    { good: 3, unsure: 0 },
    { good: 4, unsure: 1 },
  ]);
  expect(made).toEqual({ good: 7, unsure: 1 });
  expect(judgeBooks("x", made, levels(7, 8)).kept).toBe(true);
  // One was lost; one was held twice; nothing was read; half a call.
  for (const wrong of [levels(7, 6), levels(9, 8), [], levels(7.5)]) {
    expect(judgeBooks("x", made, wrong).kept).toBe(false);
  }
  expect(judgeBooks("x", made, [{ level: "a", calls: 7, overspent: true }]).kept).toBe(false);
});

test("what is missing of Cycles is said at once, with how to get it", () => {
  const found = () => findCycles("/nowhere/cycles.jar", "/nowhere/jdk");
  for (const said of [
    "no jar /nowhere/cycles.jar",
    "/nowhere/jdk/bin/java cannot be run",
    "git checkout",
    "mvn",
    "redis-server",
  ])
    expect(found).toThrow(said);
});
