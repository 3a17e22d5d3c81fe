import { Canonical, type Canonicalisable, canonical } from "./canonical.ts";
import { type Pause, sortedInSlices } from "./in-slices.ts";
import { PIECE_WEIGHT_MAX, weightOf } from "./weight.ts";

/**
 * A list or an object that grows. The machine puts texts side by side and copies them when somebody reads: here piece by
 * piece, so that nobody copies all of it at once.
 */
function createText(opening: string) {
  const pieces: string[] = [];
  let [piece, separator] = [opening, ""];
  return {
    add(head: string, text: string): void {
      piece += separator + head + text;
      separator = ",";
      if (piece.length < PIECE_WEIGHT_MAX) return;
      // Reading a character has it copied.
      piece.charCodeAt(0);
      pieces.push(piece);
      piece = "";
    },
    ended: (closing: string) => pieces.join("") + piece + closing,
  };
}

/**
 * The canonical JSON of a value, as `canonical` writes it, and `pause` is awaited after each so much of it. What is more
 * than is written in one piece is written member by member, at any depth.
 */
export async function canonicalInSlices(value: Canonicalisable, pause: Pause): Promise<string> {
  let since = 0;
  const rest = () => {
    since = 0;
    return pause();
  };
  const written = async (one: Canonicalisable): Promise<string> => {
    if (one instanceof Canonical) return one.text;
    const weight = weightOf(one, PIECE_WEIGHT_MAX);
    if (weight > PIECE_WEIGHT_MAX && typeof one === "object" && one !== null) {
      await rest();
      return Array.isArray(one) ? listOf(one as Canonicalisable[]) : objectOf(one as Record<string, Canonicalisable>);
    }
    const text = canonical(one);
    since += weight;
    if (since > PIECE_WEIGHT_MAX) await rest();
    return text;
  };
  const listOf = async (list: readonly Canonicalisable[]): Promise<string> => {
    const text = createText("[");
    for (const item of list) text.add("", await written(item));
    return text.ended("]");
  };
  const objectOf = async (object: Readonly<Record<string, Canonicalisable>>): Promise<string> => {
    const text = createText("{");
    for (const name of await sortedInSlices(Object.keys(object), pause)) {
      const held = object[name];
      if (held !== undefined) text.add(`${canonical(name)}:`, await written(held));
    }
    return text.ended("}");
  };
  return written(value);
}
