import {
  Canonical,
  type Canonicalisable,
  canonical,
  canonicalAt,
  requireDepth,
  rethrowBelow,
  step,
} from "./canonical.ts";
import { type Pause, sortedInSlices } from "./in-slices.ts";
import { PIECE_WEIGHT_MAX, weightOf } from "./weight.ts";

/**
 * A text that grows. The machine puts texts side by side and copies them when somebody reads: here piece by piece, so that
 * nobody copies all of it at once.
 */
function createText() {
  const pieces: string[] = [];
  let piece = "";
  return {
    add(text: string): void {
      piece += text;
      if (piece.length < PIECE_WEIGHT_MAX) return;
      // Reading a character has it copied.
      piece.charCodeAt(0);
      pieces.push(piece);
      piece = "";
    },
    whole: () => pieces.join("") + piece,
  };
}

/**
 * The canonical JSON of a value, as `canonical` writes it, and `pause` is awaited after each so much of it. What is more
 * than is written in one piece is written member by member, at any depth.
 */
export async function canonicalInSlices(value: Canonicalisable, pause: Pause): Promise<string> {
  const text = createText();
  let since = 0;
  const rest = () => {
    since = 0;
    return pause();
  };
  const write = async (one: Canonicalisable, depth: number): Promise<void> => {
    if (one instanceof Canonical) return text.add(one.text);
    const weight = weightOf(one, PIECE_WEIGHT_MAX);
    if (weight > PIECE_WEIGHT_MAX && typeof one === "object" && one !== null) {
      requireDepth(depth);
      await rest();
      if (Array.isArray(one)) return writeList(one as Canonicalisable[], depth + 1);
      return writeObject(one as Record<string, Canonicalisable>, depth + 1);
    }
    text.add(canonicalAt(one, depth));
    since += weight;
    if (since > PIECE_WEIGHT_MAX) await rest();
  };
  const writeList = async (list: readonly Canonicalisable[], depth: number): Promise<void> => {
    for (const [at, item] of list.entries()) {
      text.add(at === 0 ? "[" : ",");
      try {
        await write(item, depth);
      } catch (error) {
        rethrowBelow(error, `[${at}]`);
      }
    }
    text.add("]");
  };
  const writeObject = async (object: Readonly<Record<string, Canonicalisable>>, depth: number): Promise<void> => {
    let before = "{";
    for (const name of await sortedInSlices(Object.keys(object), pause)) {
      const held = object[name];
      if (held === undefined) continue;
      try {
        text.add(`${before}${canonical(name)}:`);
        before = ",";
        await write(held, depth);
      } catch (error) {
        rethrowBelow(error, step(name));
      }
    }
    text.add(before === "{" ? "{}" : "}");
  };
  await write(value, 1);
  return text.whole();
}
