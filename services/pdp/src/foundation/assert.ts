/** A broken invariant: the request at hand fails closed, whatever it was about to answer. */
export class BrokenInvariant extends Error {
  constructor(message: string) {
    super(`broken invariant: ${message}`);
    this.name = "BrokenInvariant";
  }
}

/** Stops the request when what must hold does not. */
export function assert(holds: unknown, invariant: string): asserts holds {
  if (!holds) throw new BrokenInvariant(invariant);
}
