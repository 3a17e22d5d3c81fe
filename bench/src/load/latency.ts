import { build } from "hdr-histogram-js";

/** Percentiles in microseconds. */
export interface LatencyUs {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface LatencyRecorder {
  recordMs(ms: number): void;
  summary(): LatencyUs;
}

const minuteUs = 60_000_000;

/** An HDR histogram from one microsecond to one minute, three significant digits; what took longer counts as a minute. */
export function latencyRecorder(): LatencyRecorder {
  const histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: minuteUs,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
  });
  return {
    recordMs(ms) {
      histogram.recordValue(Math.min(minuteUs, Math.max(1, Math.round(ms * 1000))));
    },
    summary() {
      const at = (percentile: number) => histogram.getValueAtPercentile(percentile);
      return {
        count: histogram.totalCount,
        mean: histogram.mean,
        p50: at(50),
        p90: at(90),
        p99: at(99),
        p999: at(99.9),
        max: histogram.maxValue,
      };
    },
  };
}
