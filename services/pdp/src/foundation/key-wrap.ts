import { createCipheriv, createDecipheriv, hash } from "node:crypto";
import type { Random } from "./ids.ts";

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

/** The keys that the environment holds: new secrets are wrapped by `current`, old ones may still be by `previous`. */
export interface WrappingKeys {
  readonly current: WrappingKey;
  readonly previous?: WrappingKey | undefined;
}

/** A secret as the store holds it, and the id of the key that wraps it. */
export interface Wrapped {
  readonly bytes: Uint8Array;
  readonly by: string;
}

/** The key of the environment that has this id, or undefined. */
function wrappingKeyNamed({ current, previous }: WrappingKeys, id: string): WrappingKey | undefined {
  return [current, previous].find((key) => key?.id === id);
}

/** Undoes `wrap` with whichever key of the environment did it. Throws when none did, naming the one that did. */
export function unwrapBy(keys: WrappingKeys, purpose: string, { bytes, by }: Wrapped): Buffer {
  const key = wrappingKeyNamed(keys, by);
  if (key) return unwrap(key, purpose, bytes);
  const held = [keys.current.id, ...(keys.previous ? [keys.previous.id] : [])].join(" and ");
  throw new Error(
    `${purpose} was wrapped by key ${by}, the environment holds ${held}: ` +
      "start with the REMIT_KEY_ENCRYPTION_KEY that this database was used with, or name it in REMIT_PREVIOUS_KEY_ENCRYPTION_KEY",
  );
}

/** The same secret under the current key, or null when it is already. */
export function rewrap(keys: WrappingKeys, purpose: string, wrapped: Wrapped, random: Random): Wrapped | null {
  if (wrapped.by === keys.current.id) return null;
  const secret = unwrapBy(keys, purpose, wrapped);
  return { bytes: wrap(keys.current, purpose, secret, random), by: keys.current.id };
}
