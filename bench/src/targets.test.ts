import { expect, test } from "vitest";
import type { Comparison, SideResult } from "./run/compare.ts";
import { judge } from "./targets.ts";

function side(name: string, perSecond: number, p50: number, p99: number): SideResult {
  const load = { kind: "closed", inFlight: 1 } as const;
  return {
    name,
    load,
    perSecond,
    p50,
    p90: p50,
    p99,
    lateP99: 0,
    failedShare: 0,
    clientBusy: 0,
    coresBusy: [],
    runs: [],
  };
}

function comparison(id: string, echo: SideResult, decide: SideResult): Comparison {
  const over = (figure: (side: SideResult) => number) => figure(decide) / figure(echo);
  const ratio = {
    of: "decide",
    to: "echo",
    perSecond: over((s) => s.perSecond),
    p50: over((s) => s.p50),
    p99: over((s) => s.p99),
  };
  return { id, title: id, sides: [echo, decide], ratios: [ratio] };
}

test("latency is judged by itself and quoted beside the echo's", () => {
  const [p99, p50] = judge([comparison("unary-alone", side("echo", 1, 200, 900), side("decide", 1, 700, 2_999))]);
  expect(p99).toEqual({
    target: "unary, 1 in flight: p99",
    bound: "< 3 ms",
    found: "3.00 ms (echo 0.90 ms)",
    kept: true,
  });
  expect(p50).toMatchObject({ found: "3.50 x", kept: true });
});

test("throughput compares the most of each side, at whatever number in flight it was found", () => {
  const outcomes = judge([
    comparison("stream-closed-32", side("echo", 40_000, 1, 1), side("decide", 8_000, 1, 1)),
    comparison("stream-closed-128", side("echo", 30_000, 1, 1), side("decide", 10_000, 1, 1)),
  ]);
  expect(outcomes).toMatchObject([{ target: "stream, closed loop: calls/s / echo's", found: "0.25 x", kept: false }]);
});

test("what was not measured is not judged", () => {
  expect(judge([])).toEqual([]);
});
