import type { Pause } from "../../foundation/in-slices.ts";

/** What is written between two rests. */
export const PIECE_BYTES = 32 * 1024;

/** Bytes that belong together, in the order in which they are sent. */
export interface Encoded {
  readonly bytes: readonly Uint8Array[];
  readonly length: number;
}

/** Takes bytes as they are made, and rests after each so many. */
export interface Pen {
  add(some: Uint8Array): Promise<void>;
  /** Before what is heavy is looked into: finding that out is work, at each level. */
  rest(): Promise<void>;
  /** For something whose length stands before it. Both rest together. */
  another(): Pen;
  /** Takes what another pen has written. */
  take(written: Encoded): void;
  readonly written: Encoded;
}

/** A pen that awaits `pause` after each so many bytes. */
export function createPen(pause: Pause): Pen {
  let since = 0;
  const rest = () => {
    since = 0;
    return pause();
  };
  const another = (): Pen => {
    const bytes: Uint8Array[] = [];
    let length = 0;
    const put = (some: Uint8Array) => {
      bytes.push(some);
      length += some.length;
    };
    return {
      async add(some) {
        put(some);
        since += some.length;
        if (since >= PIECE_BYTES) await rest();
      },
      rest,
      another,
      take: (written) => written.bytes.forEach(put),
      get written() {
        return { bytes, length };
      },
    };
  };
  return another();
}
