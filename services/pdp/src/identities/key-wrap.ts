import { createCipheriv, createDecipheriv, hash } from "node:crypto";
import type { Random } from "../foundation/ids.ts";

/** The 32 bytes from the environment that wrap every key in the store. */
export interface WrappingKey {
  /** Names the key without telling it: the first 16 hex digits of its hash. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Names a wrapping key. Throws on any length but 32 bytes. */
export function wrappingKey(bytes: Uint8Array): WrappingKey {
  if (bytes.length !== 32) throw new Error(`the key-encryption key must have 32 bytes, it has ${bytes.length}`);
  return {
    id: hash("sha256", Buffer.concat([Buffer.from("remit/wrapping-key/v1\n"), bytes]), "hex").slice(0, 16),
    bytes,
  };
}

/** AES-256-GCM: nonce ‖ ciphertext ‖ tag. `purpose` is bound, so that a wrapped key cannot stand in for another. */
export function wrap(key: WrappingKey, purpose: string, secret: Uint8Array, random: Random): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  random(nonce);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(Buffer.from(purpose));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Undoes `wrap`. Throws when the key, the purpose or a single bit is another. */
export function unwrap(key: WrappingKey, purpose: string, wrapped: Uint8Array): Buffer {
  const bytes = Buffer.from(wrapped);
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()]);
}
