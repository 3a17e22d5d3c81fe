import { type Backoff, backoffMs } from "./backoff.ts";
import type { Timers } from "./timers.ts";

const again: Backoff = { firstMs: 50, maxMs: 5_000 };
const inFlightMax = 128;

export interface DeliveryOptions<Item> {
  readonly timers: Timers;
  readonly random: () => number;
  /** Hands one item over. Rejects with an error that `mayRetry` judges. */
  deliver(item: Item): Promise<void>;
  mayRetry(error: unknown): boolean;
  /** The item will never be taken. */
  refused(item: Item, error: unknown): void;
  /** Delivery has just begun to fail. */
  stuck(error: unknown): void;
}

/** Hands items over in order, several at once, and rests as a whole while the other side does not take them. */
export interface Delivery<Item> {
  add(item: Item): void;
  /** Takes an item back that is not being sent just now; answers whether it could. */
  remove(item: Item): boolean;
  /** Stops; answers what had not been taken, items in flight included. */
  stop(): Item[];
}

export function createDelivery<Item>(options: DeliveryOptions<Item>): Delivery<Item> {
  const waiting: Item[] = [];
  const inFlight = new Set<Item>();
  let failures = 0;
  let resting = false;
  let stopped = false;

  const failed = (item: Item, error: unknown): void => {
    if (!options.mayRetry(error)) {
      options.refused(item, error);
      return;
    }
    waiting.unshift(item);
    failures++;
    if (failures === 1) options.stuck(error);
    if (resting) return;
    resting = true;
    const wake = (): void => {
      resting = false;
      pump();
    };
    options.timers.after(backoffMs(again, failures, options.random()), wake, "idle");
  };

  const send = async (item: Item): Promise<void> => {
    inFlight.add(item);
    try {
      await options.deliver(item);
      failures = 0;
    } catch (error) {
      if (!stopped) failed(item, error);
    } finally {
      inFlight.delete(item);
      pump();
    }
  };

  const pump = (): void => {
    while (!stopped && !resting && inFlight.size < inFlightMax) {
      const item = waiting.shift();
      if (item === undefined) return;
      void send(item);
    }
  };

  return {
    add: (item) => {
      waiting.push(item);
      pump();
    },
    remove: (item) => {
      const at = waiting.indexOf(item);
      if (at >= 0) waiting.splice(at, 1);
      return at >= 0;
    },
    stop: () => {
      stopped = true;
      return [...inFlight, ...waiting.splice(0)];
    },
  };
}
