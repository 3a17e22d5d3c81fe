import { expect, test } from "vitest";
import { warmUpTokens } from "./warm-up.ts";

test("a token of its own is found true again and again, and others are answered in between", async () => {
  let pauses = 0;
  const pause = async () => {
    pauses++;
  };
  await warmUpTokens(1_780_000_000_000, pause);
  expect(pauses).toBeGreaterThanOrEqual(30);
});
