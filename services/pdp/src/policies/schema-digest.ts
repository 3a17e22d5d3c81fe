import type { ToolDocument } from "@remit/engine";
import { canonical, type Json } from "../foundation/canonical.ts";
import { digest } from "../foundation/digest.ts";

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
