import { createRecent } from "../foundation/recent.ts";
import { type Bucket, fullBucket, type Rate, takeToken } from "../foundation/token-bucket.ts";

/** How often each of many has asked lately: callers, tenants. The least recently asked for are forgotten first. */
export interface Rates {
  /** Counts one asking of `name` and answers 0, or how many milliseconds until it may ask. */
  take(name: string, rate: Rate, nowMs: number): number;
}

export function createRates(bucketsMax: number): Rates {
  const buckets = createRecent<Bucket>(bucketsMax);
  return {
    take(name, rate, nowMs) {
      let bucket = buckets.get(name);
      if (!bucket) {
        bucket = fullBucket(rate, nowMs);
        buckets.set(name, bucket);
      }
      return takeToken(bucket, rate, nowMs);
    },
  };
}
