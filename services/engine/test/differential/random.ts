/** Choices that follow from a seed alone. */
export interface Random {
  /** A whole number from 0 up to, not including, the bound. */
  readonly below: (bound: number) => number;
  readonly chance: (share: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
  /** So many of something. */
  readonly list: <T>(from: number, to: number, make: (index: number) => T) => T[];
  /** One of several ways, each with its weight. */
  readonly way: <T>(ways: readonly (readonly [weight: number, make: () => T])[]) => T;
}

/** A generator of 32 bits a step (mulberry32), good enough to choose and quick. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    below,
    chance: (share) => next() < share,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined && items.length === 0) throw new Error("nothing to pick from");
      return item as (typeof items)[number];
    },
    list: (from, to, make) => Array.from({ length: from + below(to - from + 1) }, (_, index) => make(index)),
    way: (ways) => {
      let at = next() * ways.reduce((total, [weight]) => total + weight, 0);
      for (const [weight, make] of ways) {
        at -= weight;
        if (at < 0) return make();
      }
      return (ways[ways.length - 1] as (typeof ways)[number])[1]();
    },
  };
}

/** The seed of the n-th world of a run. */
export function seedOf(run: number, n: number): number {
  return (Math.imul(run ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35)) >>> 0;
}
