/** How long to wait before trying again. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The wait before the n-th retry in milliseconds (n counts from 1): doubles from `firstMs` up to `maxMs`, then takes
 * between half and all of it, so that a fleet that lost one server does not come back at one instant.
 * `random` is in [0, 1).
 */
export function backoffMs(backoff: Backoff, n: number, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(n - 1, 30));
  return full / 2 + (full / 2) * random;
}
