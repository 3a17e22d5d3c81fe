/** How often something may happen: so many times a second, and so many at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A rate for which a rest of a second is enough to start over. */
export const perSecond = (count: number): Rate => ({ perSecond: count, burst: count });

/**
 * A token bucket: it fills at the rate up to the burst, and what happens takes a token. In any stretch of t seconds at
 * most `burst + t * perSecond` are taken. It changes in place, since one is asked for every call.
 */
export interface Bucket {
  tokens: number;
  atMs: number;
}

export function fullBucket({ burst }: Rate, nowMs: number): Bucket {
  return { tokens: burst, atMs: nowMs };
}

/** Takes a token and answers 0, or takes none and answers how many milliseconds until there is one. */
export function takeToken(bucket: Bucket, rate: Rate, nowMs: number): number {
  // A clock that went back fills nothing.
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(rate.burst, bucket.tokens + (elapsedMs * rate.perSecond) / 1000);
  bucket.atMs = Math.max(bucket.atMs, nowMs);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return rate.perSecond > 0 ? Math.ceil(((1 - bucket.tokens) * 1000) / rate.perSecond) : Number.POSITIVE_INFINITY;
}

/** Gives back what turned out not to have happened. */
export function giveBack(bucket: Bucket, { burst }: Rate): void {
  bucket.tokens = Math.min(burst, bucket.tokens + 1);
}
