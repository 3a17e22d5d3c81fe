import { expect, test } from "vitest";
import { perSecond } from "../foundation/token-bucket.ts";
import { createRates } from "./rates.ts";

test("each name has a rate of its own", () => {
  const rates = createRates(10);
  const twice = perSecond(2);
  const ask = (name: string, nowMs = 0) => rates.take(name, twice, nowMs);
  expect([ask("a"), ask("a"), ask("a"), ask("b")]).toEqual([0, 0, 500, 0]);
  expect([ask("a", 500), ask("a", 500)]).toEqual([0, 500]);
});

test("a rate that is lowered counts at once, and one that is raised as time goes by", () => {
  const rates = createRates(10);
  for (let at = 0; at < 10; at++) expect(rates.take("a", perSecond(100), 0)).toBe(0);
  expect([rates.take("a", perSecond(1), 0), rates.take("a", perSecond(1), 0)]).toEqual([0, 1000]);
  expect(rates.take("a", perSecond(100), 10)).toBe(0);
});

test("however many names there are, no more than the bound are remembered", () => {
  const rates = createRates(2);
  for (const name of ["a", "b", "c"]) expect(rates.take(name, perSecond(1), 0)).toBe(0);
  // The first was forgotten; the last was not.
  expect([rates.take("c", perSecond(1), 0), rates.take("a", perSecond(1), 0)]).toEqual([1000, 0]);
});
