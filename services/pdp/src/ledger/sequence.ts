import type { RecordRef } from "./record.ts";

/** A record that is visible and has no place yet. */
export interface Unplaced extends RecordRef {
  /** Of its commit: greater than that of every commit whose end was known when this one began. */
  readonly ord: bigint;
}

/** How far a writer's records have their places: all up to `n`. */
export interface Cursor {
  readonly epoch: bigint;
  readonly n: bigint;
}

/** A writer that has numbers after this one, and not this one. */
export interface Gap {
  readonly epoch: bigint;
  readonly missing: bigint;
}

export type NextInLine<Record extends Unplaced> =
  /** In the order of their places; and where the cursors of their writers then stand. */
  | { readonly state: "placed"; readonly records: readonly Record[]; readonly cursors: readonly Cursor[] }
  | { readonly state: "stopped"; readonly gap: Gap };

/**
 * Which records come next, at most `most` of them, and in which order: by the order of their commits, those of one commit
 * by their numbers. So what follows from a record comes after it: it was asked for when the record's commit had been
 * answered. Commits become visible in another order than they have, so nothing may be concluded from the last `ord`: what
 * is new of a writer is what its cursor has not passed. A writer's commits become visible one after the other, so a number
 * that is missing before one that is there will never come: then nothing has a place any more.
 *
 * `records` are of the snapshot in which `cursors` were read, under the lock of the head: the next ones of their writers, all
 * of them or all up to one `ord`, and those of a writer without one left out in between.
 */
export function nextInLine<Record extends Unplaced>(
  cursors: readonly Cursor[],
  records: readonly Record[],
  most: number,
): NextInLine<Record> {
  const ordered = [...records].sort((a, b) => Number(a.ord - b.ord) || Number(a.n - b.n));
  const reached = new Map(cursors.map(({ epoch, n }) => [epoch, n]));
  const moved = new Map<bigint, bigint>();
  const placed = ordered.slice(0, most);
  for (const { epoch, n } of placed) {
    const next = (moved.get(epoch) ?? reached.get(epoch) ?? 0n) + 1n;
    if (n !== next) return { state: "stopped", gap: { epoch, missing: next } };
    moved.set(epoch, n);
  }
  return { state: "placed", records: placed, cursors: [...moved].map(([epoch, n]) => ({ epoch, n })) };
}
