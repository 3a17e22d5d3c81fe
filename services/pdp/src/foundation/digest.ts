import { hash } from "node:crypto";

/** What a digest is of. Each kind has its own prefix, so that no digest of one can pass for another. */
export type DigestKind =
  | "input"
  | "business-key"
  | "entry"
  | "policy"
  | "policy-set"
  | "tool"
  | "agent"
  | "budget"
  | "budget-key"
  | "group"
  | "schema"
  | "request"
  | "canary"
  | "halt"
  | "change";

/** SHA-256 over `remit/<kind>/v1\n` and the canonical JSON: 32 bytes. */
export function digestBytes(kind: DigestKind, canonicalJson: string): Buffer {
  return hash("sha256", `remit/${kind}/v1\n${canonicalJson}`, "buffer");
}

/** How a digest is written everywhere: `sha256:<hex>`. */
export function digestText(bytes: Uint8Array): string {
  return `sha256:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

/** The digest of a canonical JSON, as text. */
export function digest(kind: DigestKind, canonicalJson: string): string {
  return `sha256:${hash("sha256", `remit/${kind}/v1\n${canonicalJson}`, "hex")}`;
}
