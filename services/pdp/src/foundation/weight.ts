/** What is written in one piece weighs no more: some tenths of a millisecond. */
export const PIECE_WEIGHT_MAX = 32 * 1024;

/** What a value counts besides its text. */
const VALUE_WEIGHT = 16;

/** What a value takes to write, or something over `most`: it is not looked at further. */
export function weightOf(value: unknown, most: number): number {
  if (typeof value === "string" || value instanceof Uint8Array) return VALUE_WEIGHT + value.length;
  if (typeof value !== "object" || value === null) return VALUE_WEIGHT;
  let weight = VALUE_WEIGHT;
  if (Array.isArray(value)) {
    for (const item of value) {
      weight += weightOf(item, most - weight);
      if (weight > most) return weight;
    }
    return weight;
  }
  for (const name in value) {
    weight += name.length + weightOf((value as Record<string, unknown>)[name], most - weight);
    if (weight > most) return weight;
  }
  return weight;
}

/** Whether a value is more than is written in one piece. */
export const isHeavy = (value: unknown): boolean => weightOf(value, PIECE_WEIGHT_MAX) > PIECE_WEIGHT_MAX;

const isHighSurrogate = (unit: number) => (unit & 0xfc00) === 0xd800;

/** A text in pieces, none of which ends within a character. */
export function* textPieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = from + PIECE_WEIGHT_MAX;
    if (isHighSurrogate(text.charCodeAt(to - 1))) to++;
    yield text.slice(from, to);
    from = to;
  }
}
