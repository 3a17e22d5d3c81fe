import { expect, test } from "vitest";
import { createLatency } from "./latency.ts";

test("percentiles are in milliseconds, to three digits", () => {
  const latency = createLatency();
  for (let ms = 1; ms <= 1000; ms++) latency.record(ms);
  const { p50, p90, p99, max } = latency.result();
  expect(p50).toBeCloseTo(500, -1);
  expect(p90).toBeCloseTo(900, -1);
  expect(p99).toBeCloseTo(990, -1);
  expect(max).toBeGreaterThanOrEqual(999);
});

test("what takes longer than a minute counts as a minute", () => {
  const latency = createLatency();
  latency.record(10_000_000);
  expect(latency.result().max).toBeLessThan(61_000);
});
