import { type Backoff, backoffMs } from "./backoff.ts";
import type { Timers } from "./timers.ts";

const rest: Backoff = { firstMs: 100, maxMs: 5_000 };

/** The addresses of one Remit, and which of them to try next. */
export interface Addresses {
  /**
   * One that has not failed lately, by chance, so that a fleet spreads; other than `avoid` if there is one. When all
   * have failed, the one whose rest is over first.
   */
  pick(avoid?: string): string;
  /** Whether it has not failed lately. */
  rested(address: string): boolean;
  /** It did not answer, or answered that it cannot serve: it rests, longer after each failure in a row. */
  failed(address: string): void;
  worked(address: string): void;
}

interface Health {
  failures: number;
  notBeforeMs: number;
}

export function createAddresses(all: readonly string[], timers: Timers, random: () => number): Addresses {
  const failing = new Map<string, Health>();
  const notBeforeMs = (address: string): number => failing.get(address)?.notBeforeMs ?? Number.NEGATIVE_INFINITY;
  const rested = (address: string): boolean => timers.monotonicMs() >= notBeforeMs(address);
  return {
    rested,
    pick: (avoid) => {
      const good = all.filter(rested);
      const others = good.filter((address) => address !== avoid);
      const among = others.length > 0 ? others : good;
      const chosen = among[Math.floor(random() * among.length)];
      if (chosen !== undefined) return chosen;
      return all.reduce((best, address) => (notBeforeMs(address) < notBeforeMs(best) ? address : best));
    },
    failed: (address) => {
      const { failures, notBeforeMs: untilMs } = failing.get(address) ?? { failures: 0, notBeforeMs: 0 };
      // Calls that were in flight together fail together: that is one failure.
      if (failures > 0 && timers.monotonicMs() < untilMs) return;
      const notBeforeMs = timers.monotonicMs() + backoffMs(rest, failures + 1, random());
      failing.set(address, { failures: failures + 1, notBeforeMs });
    },
    worked: (address) => {
      if (failing.size > 0) failing.delete(address);
    },
  };
}
