/**
 * Entries of one piece. A map that grows is laid out anew, all of it at once, and so is one that others are put into for
 * those that go: so many take half a millisecond, and a hundred thousand five or ten.
 */
const PIECE_MAX = 16_384;

/**
 * A map of as many entries as there are, which is not laid out anew in one piece. Finding one takes longer with each piece,
 * so it is for some hundred thousand. They are in the order in which they came, until some go and others take their places.
 * Those that come or go while it is looked through may be met or not; nothing is met twice that stayed where it was.
 */
export class LongMap<Key, Value> {
  // Those that have become empty stay, for what comes next: whoever is looking through them would miss others.
  readonly #pieces = [new Map<Key, Value>()];
  readonly #pieceMax: number;
  #size = 0;

  constructor(pieceMax = PIECE_MAX) {
    this.#pieceMax = pieceMax;
  }

  #pieceOf(key: Key): Map<Key, Value> | undefined {
    for (const piece of this.#pieces) if (piece.has(key)) return piece;
    return undefined;
  }

  #pieceWithRoom(): Map<Key, Value> {
    for (const piece of this.#pieces) if (piece.size < this.#pieceMax) return piece;
    const piece = new Map<Key, Value>();
    this.#pieces.push(piece);
    return piece;
  }

  get(key: Key): Value | undefined {
    return this.#pieceOf(key)?.get(key);
  }

  set(key: Key, value: Value): void {
    const there = this.#pieceOf(key);
    if (!there) this.#size++;
    (there ?? this.#pieceWithRoom()).set(key, value);
  }

  /** Whether it was there. */
  delete(key: Key): boolean {
    const gone = this.#pieceOf(key)?.delete(key) === true;
    if (gone) this.#size--;
    return gone;
  }

  *keys(): Generator<Key> {
    for (const piece of this.#pieces) yield* piece.keys();
  }

  get size(): number {
    return this.#size;
  }
}
