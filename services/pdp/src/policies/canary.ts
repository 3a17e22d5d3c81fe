import { digestBytes } from "../foundation/digest.ts";

/** A whole in basis points. */
export const WHOLE_BASIS_POINTS = 10_000;

/**
 * Where a session stands in a rollout, from 0 to 9,999: the first 48 bits of a SHA-256 over both ids, modulo 10,000. It is
 * in the canary when that is less than the share. So a share that grows takes sessions in and lets none out, no share
 * takes none and the whole share all, and another rollout draws other sessions. (48 bits are not a multiple of 10,000:
 * a place is off by less than one in ten thousand million.)
 */
export function canaryPlace(rolloutId: string, sessionId: string): number {
  return digestBytes("canary", JSON.stringify([rolloutId, sessionId])).readUIntBE(0, 6) % WHOLE_BASIS_POINTS;
}

/** Whether a session's calls, and those of everything delegated from it, are decided by the versions that are rolled out. */
export function isCanary(rolloutId: string, shareBasisPoints: number, sessionId: string): boolean {
  if (shareBasisPoints <= 0) return false;
  return shareBasisPoints >= WHOLE_BASIS_POINTS || canaryPlace(rolloutId, sessionId) < shareBasisPoints;
}
