import { Canonical, type Canonicalisable, canonical } from "./canonical.ts";
import type { Pause } from "./in-slices.ts";

/** Bytes that are written between two pauses, and what each value counts besides. */
const BYTES_AT_ONCE_MAX = 32 * 1024;
const VALUE_BYTES = 16;

/**
 * The canonical JSON of a value, as `canonical` writes it. What stands in it down to so many levels is written by itself,
 * and `pause` is awaited between: a document has its lists that may be long there.
 */
export async function canonicalInSlices(value: Canonicalisable, pause: Pause, levels: number): Promise<string> {
  let bytes = 0;
  const written = async (one: Canonicalisable, left: number): Promise<Canonical> => {
    const parts = left === 0 || typeof one !== "object" || one === null ? one : await partsOf(one, left - 1);
    const text = canonical(parts);
    // Counting lays the text out in one piece, which would else be done for the whole of them at the end.
    bytes += VALUE_BYTES + (parts === one ? Buffer.byteLength(text) : 0);
    if (bytes > BYTES_AT_ONCE_MAX) {
      bytes = 0;
      await pause();
    }
    return new Canonical(text);
  };
  const partsOf = async (one: object, left: number): Promise<Canonicalisable> => {
    if (one instanceof Canonical) return one;
    if (Array.isArray(one)) {
      const items: Canonical[] = [];
      for (const item of one as Canonicalisable[]) items.push(await written(item, left));
      return items;
    }
    const members: Record<string, Canonical> = Object.create(null) as Record<string, Canonical>;
    for (const [name, held] of Object.entries(one) as [string, Canonicalisable][]) {
      if (held !== undefined) members[name] = await written(held, left);
    }
    return members;
  };
  return (await written(value, levels)).text;
}
