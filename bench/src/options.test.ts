import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

test("without arguments everything is measured, three rounds of it", () => {
  expect(parseOptions([])).toMatchObject({
    rounds: 3,
    durationMs: 2_000,
    parts: ["unary", "stream", "json", "sdk", "h2load"],
  });
});

test("quick is one short round, and an explicit number still wins", () => {
  expect(parseOptions(["--quick"])).toMatchObject({ rounds: 1, durationMs: 1_000 });
  expect(parseOptions(["--quick", "--rounds", "5"])).toMatchObject({ rounds: 5 });
});

test("what is not understood is said in a sentence", () => {
  expect(parseOptions(["--parts", "unary,steam"])).toContain('no part "steam"');
  expect(parseOptions(["--rounds", "0"])).toContain("from 1 to 99");
  expect(parseOptions(["--server-cores", "first"])).toContain("such as 0 or 0,1");
  expect(parseOptions(["--fast"])).toContain("--fast");
});
