import { createHash } from "node:crypto";
import { canonical, NotJson } from "./canonical.ts";

function digest(kind: "input" | "output" | "schema", canonicalJson: string): string {
  return `sha256:${createHash("sha256").update(`remit/${kind}/v1\n`).update(canonicalJson, "utf8").digest("hex")}`;
}

/** The digest of an input, given its canonical JSON: `sha256:<hex>` over `remit/input/v1\n` and the text. */
export function inputDigest(canonicalJson: string): string {
  return digest("input", canonicalJson);
}

/** The digest of a tool's input schema, given its canonical JSON: what Remit answers when the tool is registered. */
export function schemaTextDigest(canonicalJson: string): string {
  return digest("schema", canonicalJson);
}

/** The digest of what a tool returned, over `remit/output/v1\n` and its canonical JSON; undefined when it is not JSON. */
export function outputDigest(output: unknown): string | undefined {
  if (output === undefined) return undefined;
  try {
    return digest("output", canonical(output));
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}
