import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import { mapInSlices } from "../foundation/in-slices.ts";
import { turnOfTheLoop } from "../foundation/turn-of-the-loop.ts";
import { isHeavy, textPieces } from "../foundation/weight.ts";

// The driver makes bytes of a text in one piece, which for a document of megabytes takes longer than others can wait for.
// What it is handed as bytes it sends as they are, in the binary form of the column's type.

/** Pieces of a text, of 32 K characters each, that are made bytes between two turns. */
const PIECES_AT_ONCE = 4;
/** What stands before the text of a jsonb in its binary form: see `jsonb_recv` of Postgres. */
const JSONB_VERSION = 1;

const bytesOf = (text: string) =>
  mapInSlices(textPieces(text), turnOfTheLoop, (piece) => Buffer.from(piece), PIECES_AT_ONCE);

/** A parameter for a column of type text. */
export async function textParameter(text: string): Promise<string | Buffer> {
  return isHeavy(text) ? Buffer.concat(await bytesOf(text)) : text;
}

/**
 * A parameter for a column of type jsonb, which holds a value and not how it was written. For documents, whose digests are
 * of their canonical JSON: what has none is refused before.
 */
export async function jsonbParameter(value: object): Promise<string | Buffer> {
  if (!isHeavy(value)) return JSON.stringify(value);
  const text = await canonicalInSlices(value, turnOfTheLoop);
  return Buffer.concat([Buffer.of(JSONB_VERSION), ...(await bytesOf(text))]);
}
