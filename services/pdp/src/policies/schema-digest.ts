import type { ToolDocument } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { canonicalInSlices } from "../foundation/canonical-in-slices.ts";
import { digest, digestInSlices } from "../foundation/digest.ts";
import type { Pause } from "../foundation/in-slices.ts";
import { textPieces } from "../foundation/weight.ts";

type Schema = NonNullable<ToolDocument["spec"]["inputSchema"]>;

// A document keeps its schema objects from snapshot to snapshot, so that each is walked once.
const known = new WeakMap<Schema, string>();

/** The digest of a schema's canonical JSON: `sha256:<hex>`; empty where there is no schema. */
export function schemaDigest(schema: Schema | undefined): string {
  if (!schema) return "";
  let text = known.get(schema);
  if (text === undefined) {
    text = digest("schema", canonical(schema as Json));
    known.set(schema, text);
  }
  return text;
}

/** The same in slices, where nobody has asked for it yet: `pause` is awaited between them, and after the last. */
export async function schemaDigestInSlices(schema: Schema | undefined, pause: Pause): Promise<string> {
  if (!schema || known.has(schema)) return schemaDigest(schema);
  const text = await digestInSlices("schema", textPieces(await canonicalInSlices(schema, pause)), pause, 1);
  known.set(schema, text);
  return text;
}
