import { createHash, hash } from "node:crypto";
import { eachInSlices, type Pause } from "./in-slices.ts";
import { textPieces } from "./weight.ts";

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
  | "budget-series"
  | "group"
  | "scope"
  | "schema"
  | "request"
  | "canary"
  | "halt"
  | "change";

/**
 * SHA-256: 32 bytes. Of a hash as a buffer Node makes memory of its own, outside the heap, which costs as much as the hash
 * itself; a text of a character a byte comes at once, and the buffer that is made of it is of the pool.
 */
export function sha256(data: string | Uint8Array): Buffer {
  return Buffer.from(hash("sha256", data, "latin1"), "latin1");
}

/** SHA-256 over `remit/<kind>/v1\n` and the canonical JSON: 32 bytes. */
export function digestBytes(kind: DigestKind, canonicalJson: string): Buffer {
  return sha256(`remit/${kind}/v1\n${canonicalJson}`);
}

/** The UTF-8 of a canonical JSON, and its digest of 32 bytes: written down once for both. */
export function digestedBytes(
  kind: DigestKind,
  canonicalJson: string,
): { readonly body: Buffer; readonly digest: Buffer } {
  const prefix = `remit/${kind}/v1\n`;
  const both = Buffer.from(prefix + canonicalJson);
  return { digest: sha256(both), body: both.subarray(prefix.length) };
}

/** A digest of what is still to come. */
const begun = (kind: DigestKind) => createHash("sha256").update(`remit/${kind}/v1\n`);

/** Pieces of a long text that are written down and taken in between two pauses: some tenths of a millisecond. */
const PIECES_AT_ONCE = 8;

/** The same in slices; between them it awaits `pause`. */
export async function digestedInSlices(
  kind: DigestKind,
  canonicalJson: string,
  pause: Pause,
): Promise<ReturnType<typeof digestedBytes>> {
  const made = begun(kind);
  const written: Buffer[] = [];
  const take = (piece: string) => {
    const bytes = Buffer.from(piece);
    made.update(bytes);
    written.push(bytes);
  };
  await eachInSlices(textPieces(canonicalJson), pause, take, PIECES_AT_ONCE);
  await pause();
  return { digest: made.digest(), body: Buffer.concat(written) };
}

/** How a digest is written everywhere: `sha256:<hex>`. */
export function digestText(bytes: Uint8Array): string {
  return `sha256:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

/** The digest of a canonical JSON, as text. */
export function digest(kind: DigestKind, canonicalJson: string): string {
  return `sha256:${hash("sha256", `remit/${kind}/v1\n${canonicalJson}`, "hex")}`;
}

/** The same of its bytes. */
export function digestOfBytes(kind: DigestKind, canonicalJson: Uint8Array): string {
  return `sha256:${begun(kind).update(canonicalJson).digest("hex")}`;
}

/** The same of a text that comes piece by piece. */
export function digestOfPieces(kind: DigestKind) {
  const made = begun(kind);
  return {
    take: (piece: string): void => void made.update(piece),
    digest: (): string => `sha256:${made.digest("hex")}`,
  };
}

/** The same of a text that comes in parts, in slices: between them it awaits `pause`. */
export async function digestInSlices(
  kind: DigestKind,
  parts: Iterable<string>,
  pause: Pause,
  partsAtOnceMax?: number,
): Promise<string> {
  const made = digestOfPieces(kind);
  await eachInSlices(parts, pause, made.take, partsAtOnceMax);
  return made.digest();
}
