import { expect, test } from "vitest";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { warmUpDecisions } from "./warm-up.ts";

test("the calls of the warm-up come as far as their records, with what they hold", async () => {
  expect(await warmUpDecisions(turnOfTheLoop)).toBe(160);
});
