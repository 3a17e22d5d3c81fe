/** What the books of an account say, in millionths of its unit, and when its window is. */
export interface Books {
  readonly limit: bigint;
  readonly held: bigint;
  readonly posted: bigint;
  readonly overage: bigint;
  readonly opensAtMs: number;
  /** Undefined: it never closes. */
  readonly closesAtMs: number | undefined;
}

/** How far an account is. */
export interface BurnDown {
  /** Spent, overage included. */
  readonly spent: bigint;
  readonly free: bigint;
  /** By how much spent and held exceed the limit. */
  readonly over: bigint;
  /** 0 to 10000; 0 where the window never closes. */
  readonly windowOverBasisPoints: number;
  /** Spent and held, of the limit; above 10000 when it is over. Of a limit of 0 all of it is used. */
  readonly limitUsedBasisPoints: number;
  /** When nothing will be free at the window's rate so far; undefined when that is not before it closes. */
  readonly exhaustedAtMs: number | undefined;
}

const WHOLE = 10_000n;
const SHARE_MAX = 4_294_967_295n;

const least = (one: bigint, other: bigint) => (one < other ? one : other);

function usedOf(used: bigint, limit: bigint): number {
  return Number(limit <= 0n ? WHOLE : least((used * WHOLE) / limit, SHARE_MAX));
}

function overOf({ opensAtMs, closesAtMs }: Books, nowMs: number): number {
  if (closesAtMs === undefined || closesAtMs <= opensAtMs) return 0;
  const share = Math.floor(((nowMs - opensAtMs) * Number(WHOLE)) / (closesAtMs - opensAtMs));
  return Math.min(Number(WHOLE), Math.max(0, share));
}

/** The first moment at which nothing is free, if it goes on as it went since the window opened. */
function exhaustedAt({ opensAtMs, closesAtMs }: Books, used: bigint, free: bigint, nowMs: number): number | undefined {
  const elapsedMs = BigInt(Math.max(0, Math.floor(nowMs - opensAtMs)));
  if (used <= 0n || free <= 0n || elapsedMs === 0n) return undefined;
  const leftMs = (free * elapsedMs + used - 1n) / used;
  const atMs = nowMs + Number(leftMs);
  // Dates end in the year 275760; whatever lasts that long lasts.
  if (!(atMs <= 8.64e15)) return undefined;
  return closesAtMs === undefined || atMs < closesAtMs ? atMs : undefined;
}

/** How far an account is, by the clock that opened its window. */
export function burnDown(books: Books, nowMs: number): BurnDown {
  const { limit, held, posted, overage } = books;
  const used = held + posted + overage;
  const left = limit - used;
  const free = left > 0n ? left : 0n;
  return {
    spent: posted + overage,
    free,
    over: left < 0n ? -left : 0n,
    windowOverBasisPoints: overOf(books, nowMs),
    limitUsedBasisPoints: usedOf(used, limit),
    exhaustedAtMs: exhaustedAt(books, used, free, nowMs),
  };
}
