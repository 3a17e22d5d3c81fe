import { expect, test } from "vitest";
import { latencyRecorder } from "./latency.ts";

test("percentiles come out in microseconds", () => {
  const recorder = latencyRecorder();
  for (let ms = 1; ms <= 100; ms += 1) recorder.recordMs(ms);
  const { count, p50, p99, max } = recorder.summary();
  expect(count).toBe(100);
  expect(p50 / 50_000).toBeCloseTo(1, 2);
  expect(p99 / 99_000).toBeCloseTo(1, 2);
  expect(max / 100_000).toBeCloseTo(1, 2);
});

test("what is faster than a microsecond or slower than a minute is counted at the edge", () => {
  const recorder = latencyRecorder();
  recorder.recordMs(0);
  recorder.recordMs(600_000);
  const { count, p50, max } = recorder.summary();
  expect(count).toBe(2);
  expect(p50).toBe(1);
  expect(max / 60_000_000).toBeCloseTo(1, 2);
});
