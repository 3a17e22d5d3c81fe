import { expect, test } from "vitest";
import { parseLog, parseSummary } from "./h2load.ts";

test("h2load's rate and failures are read from its summary", () => {
  const output = [
    "finished in 3.00s, 19123.50 req/s, 5.77MB/s",
    "requests: 38247 total, 38279 started, 38247 done, 38247 succeeded, 3 failed, 0 errored, 0 timeout",
  ].join("\n");
  expect(parseSummary(output)).toEqual({ perSecond: 19123.5, failed: 3 });
  expect(() => parseSummary("could not connect")).toThrow("could not connect");
});

test("only answered requests of h2load's log have a latency", () => {
  const { count, max } = parseLog(
    "1700000000000000\t200\t1500\n1700000000000100\t500\t9000\n1700000000000200\t-1\t7\n",
  );
  expect(count).toBe(1);
  expect(max / 1500).toBeCloseTo(1, 2);
});
