import { build } from "hdr-histogram-js";

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const MICROS_PER_MS = 1000;
const LONGEST_MS = 60_000;

/** Keeps how long calls took, to three digits, in bounded memory. */
export function createLatency(): { record(ms: number): void; result(): Latency } {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MS * MICROS_PER_MS,
    numberOfSignificantValueDigits: 3,
  });
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / MICROS_PER_MS;
  return {
    record: (ms) => histogram.recordValue(Math.round(Math.min(ms, LONGEST_MS) * MICROS_PER_MS)),
    result: () => ({ p50: at(50), p90: at(90), p99: at(99), max: histogram.maxValue / MICROS_PER_MS }),
  };
}
